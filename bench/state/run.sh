#!/usr/bin/env bash
# Microbenchmarks of the replicated state; arguments go to BenchmarkDotNet, for instance --filter '*Apply*'.
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/state -c Release -v quiet -clp:ErrorsOnly
exec dotnet bench/state/bin/Release/net10.0/Galaxy.Bench.State.dll --artifacts "${TMPDIR:-/tmp}/galaxy-bench-state" "${@:---filter=*}"
