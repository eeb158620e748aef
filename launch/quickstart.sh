#!/usr/bin/env bash
# From a fresh clone to a first result: installs what is missing, builds, fetches a small language model, and lets it read the
# begin of Genesis on two ranks. Where no model can be fetched, the attention of one of its layers on a bundled input
# (tests/golden/README.md) takes its place. A second run takes seconds.
#
# Usage: launch/quickstart.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/stage.sh
source launch/stage.sh

launch/setup.sh
build build seqring_program

# Open MPI refuses to run as root, as containers do, without these two. --oversubscribe: two ranks on one core are fine
# here. --bind-to none: a rank may use more than one core.
environment=()
((EUID)) || environment=(OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)
start=(mpirun --oversubscribe --bind-to none -n 2 build/seqring)

# show RESULT WORD...: prints a command and runs it, then tells where its result is.
show() {
  local result=$1
  shift
  mkdir -p "$(dirname "$result")"
  printf '\n$ %s%s\n' "${environment[*]:+${environment[*]} }" "$*"
  env "${environment[@]}" "$@"
  cat <<END

The result is $PWD/$result
\$ build/seqring info $result
shows what is in it.
END
}

model=build/models/smollm2.h5
foreign=build/models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
if [[ -e $model ]] || launch/models.sh smollm2; then
  [[ -e $model ]] || stage "Importing $foreign" build/seqring import "$foreign" -o "$model"
  cat <<END

SmolLM2, a language model of 135 million parameters, reads two chapters of Genesis on 2 ranks, and tells which verses it
expected least, given all that came before. In $PWD:
END
  show build/quickstart/genesis.h5 "${start[@]}" run --model "$model" --text tests/golden/genesis.txt \
    -o build/quickstart/genesis.h5 --unit line --outputs tokens,offsets,logprob,surprise,units --top 5
else
  cat <<END

The model could not be fetched. In its place: causal attention over 1,024 tokens of the King James Bible in one of its
layers, on 2 ranks, with 64 queries checked in float64. In $PWD:
END
  show build/quickstart/kjv1024.h5 "${start[@]}" attend tests/golden/kjv1024.h5 -o build/quickstart/kjv1024.h5 \
    --causal --verify=64
fi
