#!/usr/bin/env bash
# Builds the fuzz targets with clang and the address and undefined-behaviour sanitizers, in build-fuzz/, and runs them, beginning
# with small good files. What a target finds stays in build-fuzz/findings/.
#
# Usage: tests/fuzz/run.sh [--runs N] [TARGET]...
#   N        executions of each target, 1000000 by default
#   TARGET   gguf, safetensors, folder, model or text; all by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=launch/stage.sh
source launch/stage.sh

runs=1000000
if [[ ${1-} == --runs ]]; then
  runs=${2:?usage: tests/fuzz/run.sh [--runs N] [TARGET]...}
  shift 2
fi
targets=("$@")
((${#targets[@]})) || targets=(gguf safetensors folder model text)

launch/setup.sh clang libclang-rt-dev
export CC=clang
stage "Configuring build-fuzz/" cmake -S . -B build-fuzz -DSEQRING_FUZZ=ON -DSEQRING_SANITIZE=ON -DBUILD_TESTING=OFF
stage "Building build-fuzz/" cmake --build build-fuzz -j "$(nproc)" --target "${targets[@]/#/fuzz_}"

seeds=build-fuzz/seeds
rm -rf "$seeds"
python=python3
"$python" -c 'import numpy' 2>/dev/null || python=/usr/bin/python3 # which has the system's NumPy
"$python" tests/fuzz/make_seeds.py "$seeds"
mkdir -p build-fuzz/findings
for target in "${targets[@]}"; do
  stage "Fuzzing $target, $runs times" build-fuzz/fuzz_"$target" -runs="$runs" -max_len=65536 -timeout=20 -rss_limit_mb=4096 \
    -artifact_prefix=build-fuzz/findings/"$target"- "$seeds/$target"
done
