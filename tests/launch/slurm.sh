#!/usr/bin/env bash
# launch/seqring.sbatch on a Slurm of one node, which this script starts and takes down again. A job gives the bits of a run of
# one process; a job that is told to end, in any way, leaves nothing. Silent unless something is wrong.
#
# Usage: SEQRING_SLURM=1 tests/launch/slurm.sh PROGRAM
#   As root, which slurmd wants. Installs Debian's slurm-wlm and munge where they are missing.
# Exit status: 0, 1, or 77 where it cannot be done, with a line that says why.
set -euo pipefail

skip() {
  echo "skipped: $*"
  exit 77
}

[[ ${SEQRING_SLURM-} == 1 ]] || skip "SEQRING_SLURM is not 1"
((EUID == 0)) || skip "slurmd wants root"
program=$(realpath -- "${1:?Usage: tests/launch/slurm.sh PROGRAM}")
sources=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")
folder=$(mktemp -d)
out=$folder/out scratch=$folder/scratch log=$folder/log
mkdir "$out" "$scratch" "$log" "$folder/state"
chmod 755 "$folder" # munge's socket is for everybody

# RUNLEVEL=1: no service starts with its package.
type -P munged slurmctld slurmd sbatch >/dev/null ||
  RUNLEVEL=1 "$sources/launch/setup.sh" slurm-wlm munge >"$log/setup" 2>&1 ||
  { rm -r "$folder"; skip "slurm-wlm and munge are not here and cannot be installed"; }

# The processes of its jobs.
strays() { grep -lszxF "SLURM_SUBMIT_DIR=$folder" /proc/[0-9]*/environ | cut -d / -f 3; }

daemons=()
take_down() {
  local status=$?
  trap - EXIT
  if ((${#daemons[@]} == 3)); then
    squeue --noheader --format=%A | xargs -r scancel || true
    wait_for 30 no_jobs || true
  fi
  ((${#daemons[@]} == 0)) || kill "${daemons[@]}" 2>/dev/null || true
  wait
  strays | xargs -r kill -KILL 2>/dev/null || true
  if ((status != 0 && status != 77)); then
    tail -n 30 -v -- "$log"/* >&2 || true
    ls -lR "$out" "$scratch" >&2 || true
  fi
  rm -rf "$folder"
  exit "$status"
}
trap take_down EXIT
trap 'exit 1' INT TERM HUP

fail() {
  echo "failed: $*" >&2
  exit 1
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" 2>/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}

export SLURM_CONF=$folder/slurm.conf
port=$((20000 + $$ % 5000 * 2))
cat >"$SLURM_CONF" <<END
ClusterName=seqring
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
AuthInfo=socket=$folder/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=10
$(slurmd -C | head -n 1) NodeAddr=127.0.0.1 Port=$((port + 1))
PartitionName=all Nodes=ALL Default=YES
END
echo "PMIxCliTmpDirBase=$folder" >"$folder/mpi.conf"
echo "CgroupPlugin=cgroup/v1" >"$folder/cgroup.conf" # of which nothing is used

head -c 128 /dev/urandom >"$folder/key"
chmod 400 "$folder/key"

# start LOG COMMAND...: a daemon, which ends with this script even where that is killed.
start() {
  setpriv --pdeathsig TERM "${@:2}" >"$log/$1" 2>&1 &
  daemons+=($!)
}
start munged munged --foreground --key-file="$folder/key" --socket="$folder/munge" --pid-file="$folder/munged.pid" \
  --seed-file="$folder/seed" --log-file="$log/munged.log"
wait_for 10 test -S "$folder/munge" || fail "munged does not start"
start slurmctld slurmctld -D -c
start slurmd slurmd -D

is_idle() { [[ $(sinfo --noheader --format=%T) == idle ]]; }
no_jobs() { [[ -z $(squeue --noheader) ]]; }
has_begun() { compgen -G "$out/o.h5.partial-*" >/dev/null; }
is_over() {
  local left
  left=$(squeue --noheader --jobs="$1") && [[ -z $left ]]
}

wait_for 30 is_idle || {
  ! grep -i -m 1 -E '(error|fatal).*cgroup' "$log/slurmd" >"$log/why" || skip "$(cat "$log/why")"
  fail "the node does not come up"
}

# Two inputs: one is done in a moment, the other takes minutes. Then what one process makes of the first.
quick=$sources/tests/golden/kjv1024.h5 long=$folder/long.h5
/usr/bin/python3 - "$long" <<'END'
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "w") as f:
    for name in "qkv":
        f[name] = np.random.default_rng(7).standard_normal((1 << 20, 1, 16)).astype("f2")
END
"$program" attend "$quick" -o "$folder/one.h5" --causal --quiet --threads=1

# The job as it comes to its nodes: nothing of ctest's settings for Open MPI.
unset "${!OMPI_MCA_@}" OMP_NUM_THREADS
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 SEQRING=$program SLURM_TMPDIR=$scratch LAUNCHER
ranks=$(($(nproc) > 1 ? 2 : 1))
cd "$folder"

# submit [OPTION OF SBATCH]... IN: submits the template, with out/o.h5 as its output; sets $job.
submit() {
  job=$(sbatch --parsable --nodes=1 --ntasks-per-node="$ranks" --cpus-per-task=1 --time=2 --output="$log/%j.$LAUNCHER" \
    "${@:1:$#-1}" "$sources/launch/seqring.sbatch" "${@: -1}" out/o.h5 --causal)
}

wait_until_begun() { wait_for 60 has_begun || fail "job $job ($LAUNCHER) does not begin"; }

# ended STATE EXIT: the job comes to an end, in this state and with this exit code, and leaves no process and no scratch.
ended() {
  wait_for 100 is_over "$job" || fail "job $job ($LAUNCHER) does not end"
  local is
  is=$(scontrol show job "$job" | grep -oP '(?<=JobState=|ExitCode=)[\w:]+' | xargs)
  [[ $is == "$1 $2" ]] || fail "job $job ($LAUNCHER): $is instead of $1 $2"
  [[ -z $(strays) ]] || fail "job $job ($LAUNCHER) leaves processes: $(strays | xargs)"
  [[ -z $(ls -A "$scratch") ]] || fail "job $job ($LAUNCHER) leaves in the scratch folder: $(ls -A "$scratch")"
}

# ended_in_order STATE EXIT: as ended, without an output or anything beside it.
ended_in_order() {
  ended "$@"
  [[ -z $(ls -A "$out") ]] || fail "job $job ($LAUNCHER) leaves: $(ls -A "$out")"
}

launchers=(mpirun)
[[ $(srun --mpi=list 2>&1) != *pmix* ]] || launchers+=(srun)
for LAUNCHER in "${launchers[@]}"; do
  submit "$quick"
  ended COMPLETED 0:0
  /usr/bin/python3 - one.h5 out/o.h5 <<'END' || fail "job $job ($LAUNCHER) and one process differ"
import sys, h5py
a, b = map(h5py.File, sys.argv[1:])
sys.exit(any(a[name][:].tobytes() != b[name][:].tobytes() for name in ("o", "lse")))
END
  [[ -s out/o.stats.json ]] || fail "job $job ($LAUNCHER) gives no figures"
  rm out/o.h5 out/o.stats.json

  submit missing.h5
  ended_in_order FAILED 2:0

  submit "$long"
  wait_until_begun
  scancel --batch --signal=TERM "$job"
  ended_in_order FAILED 143:0

  submit "$long"
  wait_until_begun
  scancel "$job"
  ended_in_order CANCELLED 143:0
done

# Where Slurm does not answer, the ranks are told nevertheless.
mkdir dumb
ln -s /bin/false dumb/squeue
LAUNCHER=mpirun
PATH=$folder/dumb:$PATH submit "$long"
wait_until_begun
scancel --batch --signal=TERM "$job"
ended_in_order FAILED 143:0

# A minute's time. Slurm looks every 30 seconds, and warns when what is left is less than those and the 25.
submit --time=1 --signal=B:TERM@25 "$long"
wait_until_begun
ended_in_order FAILED 143:0
