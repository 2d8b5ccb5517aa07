#!/usr/bin/env bash
# What the gateway costs beside a bare YARP proxy, nginx and HAProxy in front of the same upstream (needs wrk, nginx and haproxy):
#   bench/gateway/run.sh [--only http|sockets|held] [--seconds 5] [--rounds 5] [--save file]
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/gateway -c Release -v q -clp:ErrorsOnly
bench/shared/publish-ahead.sh Coordinator Gateway Store
exec dotnet bench/gateway/bin/Release/net10.0/Galaxy.Bench.Gateway.dll bench "$@"
