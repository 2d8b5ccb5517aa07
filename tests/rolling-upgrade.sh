#!/usr/bin/env bash
# Rehearses an upgrade from an earlier version to this one: the system is started from the programs of that commit, and while clients work every service is
# replaced, one after the other, by the one that is built here. No request may fail. usage: tests/rolling-upgrade.sh COMMIT
set -euo pipefail
cd "$(dirname "$0")/.."
commit=${1:?usage: tests/rolling-upgrade.sh COMMIT}
root=$PWD
work=$(mktemp -d)
trap 'git worktree remove --force "$work/source" 2>/dev/null || true; rm -rf "$work"' EXIT
git worktree add --detach --quiet "$work/source" "$commit"
# The way of publishing may be younger than that version.
mkdir -p "$work/source/deploy"
cp deploy/machine.proj "$work/source/deploy/"
echo "building $commit"
dotnet build -nologo -v quiet "$work/source/deploy/machine.proj" "-p:Out=$work/published"
dotnet build -nologo -v quiet tests/Galaxy.EndToEnd.Tests
cd tests/Galaxy.EndToEnd.Tests
GALAXY_UPGRADE_FROM=$work/published dotnet test --no-build --filter-class "*NobodyNoticesTests"
tail -40 "bin/Debug/net10.0/TestResults/nobody-notices.txt"
