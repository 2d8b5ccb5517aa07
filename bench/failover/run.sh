#!/usr/bin/env bash
# Time from a fault to the first write that counts again, beside etcd and Redis Sentinel. One command:
#   bench/failover/run.sh [--runs 20] [--only galaxy|etcd|sentinel] [--kinds kill,stop,term,manual] [--peer-kinds kill] [--stores 3] [--traces] [--save file]
# Measures what one deploys: services compiled ahead of time (ReadyToRun), as etcd and Redis are.
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/failover -c Release -v q
bench/shared/publish-ahead.sh Coordinator Gateway Router Store Console
exec dotnet bench/failover/bin/Release/net10.0/Galaxy.Bench.Failover.dll "$@"
