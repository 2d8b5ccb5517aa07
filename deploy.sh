#!/usr/bin/env bash
# Makes this machine ready: checks what is needed, writes .env with a fresh key where there is none, and builds. Then: ./start.sh
# May be called again at any time, for instance after a pull; a .env that is there stays as it is.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

case "${1:-}" in
  "") ;;
  -h | --help) say "usage: ./deploy.sh    checks, writes .env from .env.example with a fresh key, builds into published/"; exit 0 ;;
  *) fail "'$1' is no option of deploy.sh. It takes none." ;;
esac

say "1/3 Checking this machine"
command -v dotnet >/dev/null || fail "dotnet is not on PATH. Install the .NET 10 SDK (https://dotnet.microsoft.com/download/dotnet/10.0) and run ./deploy.sh again."
dotnet --list-sdks | grep -q '^10\.' || fail "the .NET 10 SDK is needed; here is: $(dotnet --list-sdks | cut -d' ' -f1 | paste -sd' ' -). Install it from https://dotnet.microsoft.com/download/dotnet/10.0 and run ./deploy.sh again."
[ -w . ] || fail "the folder $PWD cannot be written: settings and programs are put there. Copy it to one that can, and run ./deploy.sh there."
# The number before the percentage: names of devices may have blanks.
free=$(df -Pm . | LC_ALL=C awk 'NR > 1 {for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+%$/) {print $(i - 1); exit}}')
[ "$free" -ge 1500 ] || fail "only ${free} MB are free here; the build needs 1500. Free some and run ./deploy.sh again."
# The SDK and its packages need a home: without HOME that of the user's account, without one they are kept here.
home=${DOTNET_CLI_HOME:-${HOME:-~}}
if [ ! -d "$home" ] || [ ! -w "$home" ]; then
  export DOTNET_CLI_HOME="$PWD/.galaxy/dotnet"
  mkdir -p "$DOTNET_CLI_HOME"
  say "    this user's home '$home' cannot be written; the SDK keeps its files in .galaxy/dotnet (DOTNET_CLI_HOME)"
fi
say "    .NET SDK $(dotnet --list-sdks | grep '^10\.' | tail -1 | cut -d' ' -f1), ${free} MB free"

say "2/3 Settings"
umask 077
if [ ! -e .env ]; then
  cp .env.example .env
  say "    .env is new, from .env.example"
else
  chmod go-rwx .env
fi
if [ -n "${GALAXY_API_KEY:-}" ]; then
  say "    the key is the one of the environment (GALAXY_API_KEY)"
elif grep -Eq '^(export +)?GALAXY_API_KEY *= *[^ ]' .env; then
  say "    .env has a key; it stays"
else
  key="gx-$(od -An -N20 -tx1 /dev/urandom | tr -d ' \n')"
  grep -Ev '^(export +)?GALAXY_API_KEY *=' .env > .env.new || true
  printf 'GALAXY_API_KEY=%s\n' "$key" >> .env.new
  mv .env.new .env
  say "    a fresh key is in .env. The first machine of a cluster is ready so; on every other one put the first one's key there."
fi
umask 022

say "3/3 Building (a minute or two the first time)"
log=$(mktemp)
# The build goes its way beside the line that shows it is alive.
dotnet build -nologo -v quiet deploy/machine.proj >"$log" 2>&1 &
build=$!
trap 'kill "$build" 2>/dev/null || true; rm -f "$log"' EXIT
seconds=0
while kill -0 "$build" 2>/dev/null; do
  [ -t 1 ] && printf '\r    %d s' "$seconds"
  sleep 1
  seconds=$((seconds + 1))
done
[ -t 1 ] && printf '\r'
wait "$build" || { cat "$log"; fail "the build failed; its messages are above."; }
say "    built in ${seconds} s"
say ""
say "Ready. ./start.sh starts a coordinator with everything it needs, ./start.sh --standby a standby, ./start.sh --worker a worker."
