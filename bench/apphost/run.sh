#!/usr/bin/env bash
# The development system on Aspire: time from built to healthy, memory and processor time at rest, time to stop, and leadership on a busy machine.
#   bench/apphost/run.sh [--runs 3] [--busy 3] [--save file]
# A run of its own data folder and free ports; ends only what it started. `stress-ng` is needed for the busy runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=3 busy=3 save=""
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --busy) busy=$2; shift 2 ;;
    --save) save=$2; shift 2 ;;
    *) echo "usage: bench/apphost/run.sh [--runs 3] [--busy 3] [--save file]" >&2; exit 2 ;;
  esac
done

dotnet build Galaxy.AppHost -v q -nologo >/dev/null
program=$PWD/Galaxy.AppHost/bin/Debug/net10.0/Galaxy.AppHost
work=$(mktemp -d)
mark=galaxy-bench-$$-$RANDOM
host="" stress=""
cleanup() {
  [ -z "$stress" ] || kill "$stress" 2>/dev/null || true
  for pid in $(processes); do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

# Every process of the run has the mark in its environment.
processes() { grep -lsz "GALAXY_BENCH=$mark" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | grep -vx "$$" || true; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

start() { # folder
  started=$(now)
  GALAXY_BENCH=$mark "$program" --ports any --GALAXY_DATA "$1" >"$work/output" 2>&1 &
  host=$!
}

await_healthy() { # seconds
  local deadline=$((SECONDS + $1))
  until grep -q 'resources are healthy' "$work/output"; do
    if [ $SECONDS -ge $deadline ] || ! kill -0 "$host" 2>/dev/null; then echo "not healthy within $1 s:"; cat "$work/output"; return 1; fi
    sleep 0.1
  done
  since "$started"
}

stop() { # signal
  local at; at=$(now)
  kill "-$1" "$host"
  wait "$host" 2>/dev/null || true
  while [ -n "$(processes)" ]; do sleep 0.1; done
  since "$at"
}

memory() { # proportional set size by kind of process, MiB
  for pid in $(processes); do
    local name; name=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || continue
    case "$name" in
      *monitor-process*) kind=monitors ;;
      *"/dcp "*) kind=orchestrator ;;
      *Aspire.Dashboard*) kind=dashboard ;;
      *Galaxy.AppHost*) kind=apphost ;;
      *) kind=galaxy ;;
    esac
    awk -v kind=$kind '/^Pss:/ { print kind, $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null || true
  done | awk '{ sum[$1] += $2; all += $2 } END { for (kind in sum) printf "%s %.0f\n", kind, sum[kind] / 1024; printf "all %.0f\n", all / 1024 }' | sort
}

ticks() { for pid in $(processes); do awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null || true; done | awk '{ sum += $1 } END { print sum + 0 }'; }

changes() { # folder: leaders that were elected so far, less the first
  local key url; key=$(cat "$1/api-key"); url=$(sed -n 's/^API  *//p' "$work/output")
  curl -s --noproxy '*' -H "Authorization: Bearer $key" "$url/api/v1/failovers" | python3 -c 'import json, sys; print(sum(1 for r in json.load(sys.stdin) if r["reason"] != "first"))'
}

results=()
for run in $(seq "$runs"); do
  start "$work/data-$run"
  healthy=$(await_healthy 120)
  sleep 60
  before=$(ticks); sleep 30; after=$(ticks)
  cpu=$(awk -v a="$before" -v b="$after" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.1f", (b - a) / hz / 30 * 100 }')
  memory >"$work/memory"
  if [ $((run % 2)) = 1 ]; then how=TERM; else how=KILL; fi
  stopped=$(stop $how)
  echo "run $run: healthy after $healthy s; at rest $cpu % of one core, MiB: $(tr '\n' ' ' <"$work/memory"); all ended $stopped s after SIG$how"
  results+=("{\"healthy_s\":$healthy,\"cpu_percent_of_a_core\":$cpu,\"mib\":{$(awk '{ printf "%s\"%s\":%s", sep, $1, $2; sep="," }' "$work/memory")},\"stop_signal\":\"SIG$how\",\"stop_s\":$stopped}")
done
crowded=()
for run in $(seq "$busy"); do
  stress-ng --cpu 8 --timeout 200 >/dev/null 2>&1 &
  stress=$!
  start "$work/busy-$run"
  healthy=$(await_healthy 180)
  left=$(awk -v t="$(since "$started")" 'BEGIN { t = 120 - t; print (t > 0) ? t : 0 }')
  sleep "$left"
  moved=$(changes "$work/busy-$run")
  echo "busy $run (stress-ng --cpu 8): healthy after $healthy s, $moved changes of leader in the first two minutes"
  crowded+=("{\"healthy_s\":$healthy,\"changes_of_leader\":$moved}")
  stop TERM >/dev/null
  kill "$stress" 2>/dev/null || true
  wait "$stress" 2>/dev/null || true
  stress=""
done
if [ -n "$save" ]; then
  printf '{"at":"%s","processors":%s,"runs":[%s],"busy":[%s]}\n' "$(date -u +%FT%TZ)" "$(nproc)" "$(IFS=,; echo "${results[*]}")" "$(IFS=,; echo "${crowded[*]}")" >"$save"
fi
