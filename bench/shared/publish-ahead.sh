#!/usr/bin/env bash
# Compiles the given services ahead of time (ReadyToRun), which is what one deploys, over the files that the benchmarks start.
set -euo pipefail
cd "$(dirname "$0")/../.."
for service in "$@"; do
  dotnet publish "Galaxy.$service" -c Release -r linux-x64 --self-contained false -p:PublishReadyToRun=true -o "Galaxy.$service/bin/Release/ahead" -v q >/dev/null
  # Over the same files without native code, where the AppHost starts them.
  cp -f "Galaxy.$service/bin/Release/ahead/"*.* "Galaxy.$service/bin/Release/net10.0/"
done
