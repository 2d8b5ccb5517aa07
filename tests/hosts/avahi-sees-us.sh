#!/usr/bin/env bash
# Does Avahi on another host list our node, in both address families? Makes a second host out of a network namespace, starts a store, a
# coordinator and discovery here and avahi-daemon there, and asks avahi-browse. Needs root, iproute2, redis-server, avahi-daemon,
# avahi-utils, dbus. Exit code 0: it does.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tests/hosts/two-hosts.sh

[ -x Galaxy.Discovery/bin/Debug/net10.0/Galaxy.Discovery ] || dotnet build Galaxy.sln -v q
export GALAXY_API_KEY=key-of-this-test-only Galaxy_CLUSTER=avahi-test GALAXY_ADVERTISE=10.77.0.1 GALAXY_DATA="$data" ConnectionStrings__redis=127.0.0.1:16379
export GALAXY_COORDINATORS=http://127.0.0.1:19071
redis-server --port 16379 --save "" >"$data/redis" 2>&1 &
ends_with_test $!
Galaxy_NODE_ID=here HTTP_PORT=18071 GRPC_PORT=19071 Galaxy.Coordinator/bin/Debug/net10.0/Galaxy.Coordinator >"$data/coordinator" 2>&1 &
ends_with_test $!
Galaxy_NODE_ID=here-discovery HTTP_PORT=18037 GRPC_PORT=19037 Galaxy.Discovery/bin/Debug/net10.0/Galaxy.Discovery >"$data/discovery" 2>&1 &
ends_with_test $!

# A message bus of its own there: the one here may have an Avahi of its own.
ip netns exec "$space" unshare -m bash -s <<'THERE'
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/avahi-daemon
dbus-daemon --system --fork --nopidfile
avahi-daemon --no-drop-root --no-chroot --no-rlimits --daemonize
for _ in $(seq 200); do
  found=$(avahi-browse -rtp _ufo-galaxy._tcp 2>/dev/null | grep '^=' || true)
  if grep -q 'IPv4;here;' <<<"$found" && grep -q 'IPv6;here;' <<<"$found"; then break; fi
  found=
  sleep 0.1
done
[ -n "$found" ] || { echo "avahi-browse does not see the node in both families"; exit 1; }
avahi-browse -rt _ufo-galaxy._tcp
THERE
