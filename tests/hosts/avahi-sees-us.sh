#!/usr/bin/env bash
# Does Avahi on another host list our node? Makes a second host out of a network namespace, starts the whole system here and
# avahi-daemon there, and asks avahi-browse. Needs root, iproute2, avahi-daemon, avahi-utils, dbus. Exit code 0: it does.
set -euo pipefail
cd "$(dirname "$0")/../.."

space=galaxy-there
data=$(mktemp -d)
app=""

cleanup() {
  [ -z "$app" ] || { kill -TERM "$app" 2>/dev/null; wait "$app" 2>/dev/null; } || true
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

program=Galaxy.AppHost/bin/Debug/net10.0/Galaxy.AppHost
[ -x "$program" ] || dotnet build Galaxy.sln -v q
"$program" --quiet --GALAXY_DATA "$data" --WEB_UI_PORT 0 --API_PORT 0 --WEBSOCKET_PORT 0 --OTLP_GRPC_PORT 0 --OTLP_HTTP_PORT 0 >"$data/output" 2>&1 &
app=$!
for _ in $(seq 300); do grep -q "are healthy" "$data/output" && break; sleep 0.1; done
grep -q "are healthy" "$data/output" || { cat "$data/output"; exit 1; }

# A message bus of its own there: the one here may have an Avahi of its own.
ip netns exec "$space" unshare -m bash -s <<'THERE'
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/avahi-daemon
dbus-daemon --system --fork --nopidfile
avahi-daemon --no-drop-root --no-chroot --no-rlimits --daemonize
for _ in $(seq 100); do
  found=$(avahi-browse -rtp _ufo-galaxy._tcp 2>/dev/null | grep '^=' || true)
  [ -z "$found" ] || break
  sleep 0.1
done
[ -n "$found" ] || { echo "avahi-browse sees nothing"; exit 1; }
avahi-browse -rt _ufo-galaxy._tcp
THERE
