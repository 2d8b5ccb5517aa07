#!/usr/bin/env bash
# What a routing decision over 1,000 candidates costs, and /route over HTTP beside an empty ASP.NET endpoint (needs wrk). One command:
#   bench/router/run.sh [--only decision|http] [--filter "*pattern*"] [--seconds 5] [--rounds 5] [--services 50] [--save file]
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/router -c Release -v q -clp:ErrorsOnly
only= filter=()
for ((i = 1; i <= $#; i++)); do [ "${!i}" = --only ] && j=$((i + 1)) && only=${!j}; [ "${!i}" = --filter ] && j=$((i + 1)) && filter=(--filter "${!j}"); done
if [ "$only" != http ]; then
  dotnet bench/router/bin/Release/net10.0/Galaxy.Bench.Router.dll decision --artifacts "${TMPDIR:-/tmp}/galaxy-bench-router" "${filter[@]}"
fi
if [ "$only" != decision ]; then
  bench/shared/publish-ahead.sh Coordinator Router Store
  dotnet bench/router/bin/Release/net10.0/Galaxy.Bench.Router.dll http "$@"
fi
