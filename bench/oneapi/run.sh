#!/usr/bin/env bash
# What a request through OneApi costs beside the same through Portkey's gateway (npm, needs node) and straight to the upstream (wrk is needed, too).
#   bench/oneapi/run.sh [--only latency|throughput|streams|memory|aborts] [--seconds 10] [--rounds 5] [--save file]
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/oneapi -c Release -v q -clp:ErrorsOnly
bench/shared/publish-ahead.sh OneApi
[ -d bench/oneapi/node_modules ] || (cd bench/oneapi && npm install --no-package-lock --no-audit --no-fund --silent)
exec dotnet bench/oneapi/bin/Release/net10.0/Galaxy.Bench.OneApi.dll bench "$@"
