#!/usr/bin/env bash
# Starts this machine as a node of the cluster: ./start.sh [--worker | --standby | --witness] [--quiet]. Ctrl-C stops it.
# What it is called and where it connects: the environment, .env, config.json (docs/operations.md).
set -euo pipefail
cd "$(dirname "$0")"
if [ ! -f published/Galaxy.Cli/galaxy.dll ]; then
  echo "error: nothing is built yet. Run ./deploy.sh first." >&2
  exit 1
fi
exec dotnet published/Galaxy.Cli/galaxy.dll start "$@"
