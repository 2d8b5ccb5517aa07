#!/usr/bin/env bash
# The commands of the project in one place: ./build.sh [build|test|run]
set -euo pipefail
cd "$(dirname "$0")"
case "${1:-build}" in
  build) dotnet build Galaxy.sln ;;
  test)  shift; dotnet test "$@" ;;
  run)   shift; dotnet run --project Galaxy.AppHost -- "$@" ;;
  *)     echo "usage: ./build.sh [build | test | run]" >&2; exit 2 ;;
esac
