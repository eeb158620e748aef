#!/usr/bin/env bash
# One step of the install test, in a folder of its own; CMakeLists.txt beside it sets the environment.
#
# Usage: check.sh prefix|find_package|pkg_config SCRATCH
set -euo pipefail
step=$1
scratch=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=$scratch/prefix

fail() {
  echo "$*" >&2
  exit 1
}

run_consumers() {
  "$MPIRUN" -n 2 "$1/consumer"
  "$MPIRUN" -n 2 "$1/consumer_io" "$INPUT"
}

# Installs, then moves what was installed, so that a path of the prefix in it would show.
check_prefix() {
  local file library
  rm -rf "$prefix" "$prefix.before"
  "$CMAKE" --install "$BUILD" --prefix "$prefix.before" >/dev/null
  mv "$prefix.before" "$prefix"
  ! grep -rlF "$prefix.before" "$prefix" || fail "the installed files name their prefix"
  ! grep -rlF "$BUILD" "$prefix" --include='*.pc' --include='*.cmake' || fail "the installed files name the build folder"
  [[ $("$prefix/bin/seqring" --version) == *"$VERSION"* ]] || fail "the installed program does not say version $VERSION"
  for file in share/man/man1/seqring.1 share/seqring/configs/default.yaml share/doc/seqring/LICENSE; do
    [[ -s $prefix/$file ]] || fail "$file is not installed"
  done
  library=$(find "$prefix" -name 'libseqring.so')
  [[ -z $library ]] || ! ldd "$library" | grep -qE 'hdf5|blas' || fail "libseqring is linked with HDF5 or BLAS"
}

check_find_package() {
  local out=$scratch/find_package
  rm -rf "$out"
  "$CMAKE" -S "$here/project" -B "$out" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$CC" -DSEQRING_CONSUMER_VERSION="$VERSION"
  "$CMAKE" --build "$out"
  run_consumers "$out"
}

check_pkg_config() {
  local out=$scratch/pkg_config name module flags libraries
  rm -rf "$out"
  mkdir -p "$out"
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name seqring.pc)")
  export PKG_CONFIG_PATH
  for name in consumer:seqring consumer_io:seqring_io; do
    module=${name#*:}
    name=${name%:*}
    [[ $("$PKG_CONFIG" --modversion "$module") == "$VERSION" ]] || fail "$module.pc does not say version $VERSION"
    read -ra flags <<<"$CFLAGS $("$PKG_CONFIG" --cflags "$module")"
    read -ra libraries <<<"$("$PKG_CONFIG" --libs ${STATIC:+--static} "$module")"
    "$MPICC" -std=c11 -Wall -Wextra -Werror "${flags[@]}" "$here/project/$name.c" -o "$out/$name" "${libraries[@]}" -lm
  done
  LD_LIBRARY_PATH=$("$PKG_CONFIG" --variable=libdir seqring)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export LD_LIBRARY_PATH
  run_consumers "$out"
}

"check_$step"
