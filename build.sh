#!/usr/bin/env bash
# The commands of the project in one place: ./build.sh [build|fast|test|run]
set -euo pipefail
cd "$(dirname "$0")"
case "${1:-build}" in
  build) dotnet build Galaxy.sln ;;
  # The unit tests of the projects that were changed since the last commit (or in it), and the architecture's: under a minute.
  fast)
    changed=$({ git diff --name-only HEAD; git ls-files --others --exclude-standard; } | sort -u)
    [ -n "$changed" ] || changed=$(git diff --name-only HEAD~1 HEAD)
    names=$(sed -nE 's,^(tests/)?Galaxy\.([A-Za-z]+)(\.Tests)?/.*,\2,p' <<<"$changed" | sort -u)
    for name in Architecture $names; do
      case $name in EndToEnd | Hosts | Simulation) echo "$name: starts whole systems; run it by itself"; continue ;; esac
      project=tests/Galaxy.$name.Tests
      [ -d "$project" ] || { echo "$name: has no unit tests"; continue; }
      dotnet test --project "$project"
    done ;;
  test)  shift; dotnet test "$@" ;;
  run)   shift; dotnet run --project Galaxy.AppHost -- "$@" ;;
  *)     echo "usage: ./build.sh [build | fast | test | run]" >&2; exit 2 ;;
esac
