#!/usr/bin/env bash
# Installs what is missing, builds with warnings as errors, and runs every test.
#
# Usage: tests/run.sh [--sanitize] [ARGUMENT OF CTEST]...
#   --sanitize   build with the address and undefined-behaviour sanitizers, in build-sanitize/
# For example: tests/run.sh -R golden
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/stage.sh
source launch/stage.sh

directory=build
sanitize=OFF
if [[ ${1-} == --sanitize ]]; then
  directory=build-sanitize
  sanitize=ON
  shift
fi

launch/setup.sh
build "$directory" all -DBUILD_TESTING=ON -DSEQRING_WERROR=ON -DSEQRING_SANITIZE="$sanitize"

# Each test tells ctest how many processors its ranks take, so that a job for every core does not crowd them.
cd "$directory"
exec ctest --output-on-failure --timeout 600 -j "$(nproc)" "$@" </dev/null
