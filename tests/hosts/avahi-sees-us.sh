#!/usr/bin/env bash
# Does Avahi on another host list our node? Makes a second host out of a network namespace, starts the whole system here and
# avahi-daemon there, and asks avahi-browse. Needs root, iproute2, avahi-daemon, avahi-utils, dbus. Exit code 0: it does.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tests/hosts/two-hosts.sh

program=Galaxy.AppHost/bin/Debug/net10.0/Galaxy.AppHost
[ -x "$program" ] || dotnet build Galaxy.sln -v q
"$program" --quiet --GALAXY_DATA "$data" --WEB_UI_PORT 0 --API_PORT 0 --WEBSOCKET_PORT 0 --OTLP_GRPC_PORT 0 --OTLP_HTTP_PORT 0 >"$data/output" 2>&1 &
ends_with_test $!
wait_healthy

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
