#!/usr/bin/env bash
# What the whole system costs when nobody uses it: memory and processor time of the runner and everything it started.
# Options: --settle <s> (wait after everything is healthy, 60), --for <s> (time measured, 60), --no-build.
set -euo pipefail
cd "$(dirname "$0")/../.."

settle=60 span=60 build=1
while [ $# -gt 0 ]; do
  case "$1" in
    --settle) settle=$2; shift 2 ;;
    --for) span=$2; shift 2 ;;
    --no-build) build=0; shift ;;
    *) echo "Unknown option $1; there are --settle <s>, --for <s> and --no-build." >&2; exit 2 ;;
  esac
done

[ "$build" = 0 ] || dotnet build Galaxy.AppHost -c Release -v quiet -clp:ErrorsOnly
data=$(mktemp -d)
GALAXY_DATA="$data" setsid Galaxy.AppHost/bin/Release/net10.0/Galaxy.AppHost >"$data/out" 2>&1 &
runner=$!
trap 'kill $runner 2>/dev/null || true; wait $runner 2>/dev/null || true; rm -rf "$data"' EXIT

family() { local kid; echo "$1"; for kid in $(pgrep -P "$1" || true); do family "$kid"; done; }
deadline=$((SECONDS + 90))
until grep -q 'sign-in/link' "$data/out"; do
  kill -0 $runner 2>/dev/null && [ $SECONDS -lt $deadline ] || { cat "$data/out"; exit 1; }
  sleep 0.2
done
echo "healthy; settling for $settle s"
sleep "$settle"

pids=$(family $runner)
ticks() { local stat; for p in $pids; do stat=$(sed 's/.*) //' "/proc/$p/stat" 2>/dev/null) || continue; set -- $stat; echo "$p $((${12} + ${13}))"; done; }
before=$(ticks)
sleep "$span"
after=$(ticks)

printf '%-34s %8s %9s %9s\n' process 'CPU %' 'PSS MiB' 'RSS MiB'
hz=$(getconf CLK_TCK)
total=0 pss=0 rss=0
while read -r pid was; do
  now=$(awk -v p="$pid" '$1 == p { print $2 }' <<<"$after")
  [ -n "$now" ] || continue
  p=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")
  r=$(awk '/^Rss:/ { print $2 }' "/proc/$pid/smaps_rollup")
  name=$(tr '\0' ' ' <"/proc/$pid/cmdline" | sed -E 's#[^ ]*/##g' | cut -c1-34)
  printf '%-34s %8s %9s %9s\n' "$name" "$(bc <<<"scale=2; ($now - $was) * 100 / $hz / $span")" $((p / 1024)) $((r / 1024))
  total=$((total + now - was)) pss=$((pss + p)) rss=$((rss + r))
done <<<"$before"
printf '%-34s %8s %9s %9s\n' all "$(bc <<<"scale=2; $total * 100 / $hz / $span")" $((pss / 1024)) $((rss / 1024))
