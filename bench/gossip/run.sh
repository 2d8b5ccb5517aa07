#!/usr/bin/env bash
# How soon a write is visible on every one of five nodes, and how many bytes an idle node sends, beside Serf. One command:
#   bench/gossip/run.sh [--writes 1000] [--idle 60] [--only galaxy|serf] [--save file]
# Needs root, for a network namespace of its own in which iptables counts bytes; and, on Debian: apt-get install serf iptables iproute2
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/gossip -c Release -v q -clp:ErrorsOnly
bench/shared/publish-ahead.sh Coordinator Store
exec unshare --net bash -c 'ip link set lo up && exec dotnet bench/gossip/bin/Release/net10.0/Galaxy.Bench.Gossip.dll "$@"' bench "$@"
