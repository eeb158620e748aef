#!/usr/bin/env bash
# From a fresh clone to a first result: installs what is missing, builds, and computes the attention of a real model layer
# (tests/golden/README.md) on two ranks. A second run takes seconds.
#
# Usage: launch/quickstart.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/stage.sh
source launch/stage.sh

launch/setup.sh
build build seqring_program

input=tests/golden/kjv1024.h5
result=build/quickstart/kjv1024.h5
mkdir -p "$(dirname "$result")"

# Open MPI refuses to run as root, as containers do, without these two. --oversubscribe: two ranks on one core are fine
# here. --bind-to none: a rank may use more than one core.
environment=()
((EUID)) || environment=(OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)
attend=(mpirun --oversubscribe --bind-to none -n 2
  build/seqring attend "$input" -o "$result" --causal --verify=64)

cat <<END

Causal attention over 1,024 tokens of the King James Bible in a layer of SmolLM2, on 2 ranks, with 64 queries checked in
float64. In $PWD:

\$ ${environment[*]:+${environment[*]} }${attend[*]}
END
env "${environment[@]}" "${attend[@]}"
cat <<END

The result is $PWD/$result
\$ build/seqring info $result
shows what is in it.
END
