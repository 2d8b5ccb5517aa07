#!/usr/bin/env bash
# Tasks a second and time to dispatch with 100 and 1,000 workers, beside a Redis list with BLPOP workers; memory of idle sockets; tasks through deaths
# of the leader. One command:
#   bench/tasks/run.sh [--only rate|latency|idle|chaos] [--workers 100,1000] [--tasks 50000] [--kills 20] [--store-kills 2] [--save file]
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/tasks -c Release -v q
bench/shared/publish-ahead.sh Coordinator Gateway Router Store Console
exec dotnet bench/tasks/bin/Release/net10.0/Galaxy.Bench.Tasks.dll "$@"
