#!/usr/bin/env bash
# How soon hosts find each other, lose each other and find each other again, and what floods and a thousand announcing nodes cost. One command:
#   bench/discovery/run.sh [--runs 20] [--only starts|leaving|replug|flood|announcers] [--save file]
# Needs root, for hosts made of network namespaces; and, on Debian: apt-get install iproute2 redis-server
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/discovery -c Release -v q -clp:ErrorsOnly
bench/shared/publish-ahead.sh Coordinator Discovery
exec dotnet bench/discovery/bin/Release/net10.0/Galaxy.Bench.Discovery.dll "$@"
