# Sourced: makes a second host out of a network namespace, $space, at 10.77.0.2; this one is 10.77.0.1. A folder $data for what the test
# keeps. At the end both go, with every process named by "ends_with_test PID" and every one that runs there.
space=galaxy-there
data=$(mktemp -d)
ours=()

ends_with_test() { ours=("$1" "${ours[@]}"); }

cleanup() {
  local pid
  for pid in "${ours[@]}"; do kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  for pid in $(ip netns pids "$space" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
  ip link del gx-here 2>/dev/null || true
  ip netns del "$space" 2>/dev/null || true
  rm -rf "$data"
}
trap cleanup EXIT

ip netns add "$space"
ip link add gx-here type veth peer name gx-there
ip link set gx-there netns "$space"
ip addr add 10.77.0.1/24 dev gx-here
ip link set gx-here up
ip -n "$space" addr add 10.77.0.2/24 dev gx-there
ip -n "$space" link set gx-there up
ip -n "$space" link set lo up

# wait_healthy: until the local system whose output is in $data/output is up.
wait_healthy() {
  for _ in $(seq 600); do grep -q "are healthy" "$data/output" && return; sleep 0.1; done
  cat "$data/output"
  exit 1
}
