# shellcheck shell=bash
# What the other scripts share; to be sourced by bash.

# stage WHAT COMMAND...: runs the command without a word but WHAT and its time; shows what it said when it fails.
stage() {
  local what=$1 log status=0 start=$SECONDS
  shift
  log=$(mktemp)
  printf '%s ... ' "$what"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status)); then
    printf 'failed:\n'
    cat "$log" >&2
  else
    printf '%d s\n' $((SECONDS - start))
  fi
  rm -f "$log"
  return "$status"
}

# build DIRECTORY TARGET OPTION...: configures and builds a target in a directory of the repository root.
build() {
  local directory=$1 target=$2
  shift 2
  stage "Configuring $directory/" cmake -S . -B "$directory" "$@"
  stage "Building $directory/" cmake --build "$directory" --target "$target" -j "$(nproc)"
}
