#!/usr/bin/env bash
# Galaxy's DNS codec and mDNS transport beside those of Makaretu.Dns, as tables. One command:
#   bench/mdns/run.sh                                                  both tables
#   bench/mdns/run.sh codec [--packets 650000]
#   bench/mdns/run.sh transport [--only galaxy|makaretu|defaults] [--short]
# "--short": only starts and answers. "defaults" is Makaretu without the setting that favours it here.
# The transport needs root, for hosts made of network namespaces; and, on Debian:
#   apt-get install iproute2 redis-server dbus avahi-daemon avahi-utils python3-zeroconf
# swap.sh runs the tests and bench/discovery with Makaretu.Dns in place of Galaxy's codec.
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/mdns -c Release -v q -clp:ErrorsOnly
program=bench/mdns/bin/Release/net10.0/Galaxy.Bench.Mdns
if [ $# -gt 0 ]; then
  exec "$program" "$@"
fi
"$program" codec
echo
echo "## Transport"
echo
exec "$program" transport
