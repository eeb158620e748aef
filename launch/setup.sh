#!/usr/bin/env bash
# Sees to it that what seqring is built and tested with is installed. On Debian and its descendants it installs what is
# missing, or prints the line that does where it has not the right to. Silent, and a moment's work, when nothing is missing.
#
# Usage: launch/setup.sh [PACKAGE]...
#   PACKAGE   a further one to see to
set -euo pipefail

packages=(
  build-essential cmake pkg-config
  openmpi-bin libopenmpi-dev libhdf5-openmpi-dev libopenblas-dev libhwloc-dev
  libcyaml-dev libyaml-dev libjansson-dev libpopt-dev libxxhash-dev libpcre2-dev libutf8proc-dev uthash-dev
  libcunit1-dev python3-numpy python3-h5py # for the tests
  "$@"
)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian: seqring needs a C compiler, CMake, pkg-config, Open MPI, parallel HDF5, OpenBLAS, hwloc," \
    "libcyaml, jansson, popt, xxhash, PCRE2, utf8proc and uthash; its tests need CUnit and Python 3 with NumPy and h5py." >&2
  exit 0
fi

installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null) || true
missing=()
for package in "${packages[@]}"; do
  [[ $'\n'$installed$'\n' == *$'\n'"$package installed"$'\n'* ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID)); then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "Missing packages, and no right to install them. Run this as root, then start again:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi

install_missing() {
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
}

# shellcheck source=launch/stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
stage "Installing ${missing[*]}" install_missing
