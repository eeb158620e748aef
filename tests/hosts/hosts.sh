#!/usr/bin/env bash
# Several hosts on one machine: mpirun over TCP between network namespaces, each with a name of its own, so that MPI takes them
# for nodes. All of it lives in namespaces of this script's processes and is gone when they end.
#
# Usage (root): hosts.sh HOSTS RANKS_A_HOST [--rate RATE] COMMAND...
#   hosts.sh 2 2 --rate 1gbit build/seqring attend in.h5 -o out.h5
# Links are shaped to the rate, such as 1gbit, where one is given.
# Exit status: that of mpirun, or 77 where namespaces cannot be made, with a line that says why.
set -euo pipefail

skip() {
  echo "skipped: $*"
  exit 77
}

if [[ -z ${SEQRING_IN_HOSTS-} ]]; then
  ((EUID == 0)) || skip "network namespaces want root"
  type -P ip tc unshare >/dev/null || skip "iproute2 or util-linux is missing"
  unshare --mount --net true 2>/dev/null || skip "network namespaces are not allowed here"
  SEQRING_IN_HOSTS=1 exec unshare --mount --net -- "$0" "$@"
fi

hosts=$1 ranks=$2 rate=
shift 2
[[ $1 != --rate ]] || { rate=$2; shift 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
net=10.77.0 list=

mkdir -p /run/netns
mount -t tmpfs none /run/netns
ip link set lo up
ip link add bridge0 type bridge 2>/dev/null || skip "bridges cannot be made here"
ip link set bridge0 up
ip addr add "$net.254/24" dev bridge0
cp /etc/hosts "$folder/hosts"
for ((i = 1; i <= hosts; i++)); do
  name=sqhost$i
  ip netns add "$name"
  ip link add "link$i" type veth peer name eth0 netns "$name"
  ip link set "link$i" master bridge0 up
  ip -n "$name" addr add "$net.$i/24" dev eth0
  ip -n "$name" link set eth0 up
  ip -n "$name" link set lo up
  [[ -z $rate ]] || ip netns exec "$name" tc qdisc add dev eth0 root tbf rate "$rate" burst 256kb latency 50ms ||
    skip "links cannot be shaped here"
  echo "$net.$i $name" >>"$folder/hosts"
  list+=${list:+,}$name:$ranks
done
mount --bind "$folder/hosts" /etc/hosts

# What mpirun takes for ssh.
cat >"$folder/agent" <<'END'
#!/usr/bin/env bash
host=$1
shift
exec ip netns exec "$host" unshare --uts bash -c "hostname $host; $*"
END
chmod +x "$folder/agent"

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mpirun --mca plm_rsh_agent "$folder/agent" --mca btl tcp,self,vader --mca btl_tcp_if_include "$net.0/24" \
  --mca oob_tcp_if_include "$net.0/24" --oversubscribe --bind-to none --host "$list" -n $((hosts * ranks)) "$@"
