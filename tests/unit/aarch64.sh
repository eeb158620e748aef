#!/usr/bin/env bash
# Compiles what is below MPI for another processor, with the kernels that any has, without a warning. Exit status 77,
# skipped, without the cross compiler (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross, which .ci/run installs).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../src"
command -v aarch64-linux-gnu-gcc >/dev/null || exit 77

for file in {base,schedule,kernels}/*.c; do
  [[ $file == *_avx* ]] ||
    aarch64-linux-gnu-gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wconversion -Wno-psabi -Werror \
      -I. -I../include -c "$file" -o /dev/null
done
