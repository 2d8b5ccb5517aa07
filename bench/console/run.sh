#!/usr/bin/env bash
# How the console does with 500 devices and a trace of 2,000 spans in Chromium, and with 100,000 spans a minute. One command:
#   bench/console/run.sh [--devices 500] [--spans 2000] [--minutes 5] [--rounds 5] [--save file]
# Services are compiled ahead of time (ReadyToRun), but for the console itself: its pages need their development files beside them here.
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build bench/console -c Release -v q
bench/shared/publish-ahead.sh Coordinator Gateway Router Store
exec dotnet bench/console/bin/Release/net10.0/Galaxy.Bench.Console.dll "$@"
