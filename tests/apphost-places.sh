#!/usr/bin/env bash
# Starts the AppHost where people really start it: behind proxies, without a home, in odd folders and languages, from read-only sources, as
# another user, beside another one, with stores that come late. Works in a clone of the last commit in a temporary folder, in a network
# of its own, so that it needs no free port here. One line for each place with its time; exit code 1 if one fails.
# Needs root, git, curl, python3, iproute2, util-linux. About eight minutes on two cores. usage: tests/apphost-places.sh [PATTERN]
set -uo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "error: run it as root: it mounts, and starts programs as another user." >&2; exit 2; }

# ---- Outside: the clone, its build, the other user. ----
if [ -z "${PLACES_WORK:-}" ]; then
  export PLACES_WORK PLACES_USER=galaxy-places-$$
  PLACES_WORK=$(mktemp -d /tmp/galaxy-places-XXXXXX)
  trap 'userdel "$PLACES_USER" 2>/dev/null; rm -rf "$PLACES_WORK"' EXIT
  chmod 755 "$PLACES_WORK"
  umask 022
  clone="$PLACES_WORK/mein Ordner ğüş 数据"
  git clone -q . "$clone" || exit 1
  at=$SECONDS
  nice -n 5 dotnet build "$clone/Galaxy.AppHost" -nologo -v q -clp:ErrorsOnly || { echo "error: the clone does not build." >&2; exit 1; }
  echo "built $(git rev-parse --short HEAD) in '${clone##*/}' in $((SECONDS - at)) s"
  useradd -M -d /nonexistent -s /usr/sbin/nologin "$PLACES_USER" || exit 1
  # A package manager lets only its own user read what it unpacks; here it is shared for one place.
  assembly="$clone/Galaxy.AppHost/obj/Debug/net10.0/Galaxy.AppHost.AssemblyInfo.cs"
  dcp=$(grep -oP '"dcpclipath", "\K[^"]+' "$assembly")
  export PLACES_PACKAGES=${dcp%/aspire.hosting.orchestration*}
  unshare --net --mount "$0" "$@"
  exit
fi

# ---- Inside: a network and mounts of its own. ----
ip link set lo up
work=$PLACES_WORK
clone="$work/mein Ordner ğüş 数据"
bin=Galaxy.AppHost/bin/Debug/net10.0/Galaxy.AppHost
galaxy="$clone/Galaxy.Cli/bin/Debug/net10.0/galaxy"
pattern=${1:-}
failed=0
cd "$clone"
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
quick=(--scenario cloud --no-workers)
as_user=(setpriv --reuid="$PLACES_USER" --regid="$PLACES_USER" --clear-groups env HOME=/nonexistent)
export LC_ALL=C.UTF-8

fail() { echo "$*" >&2; return 1; }

# up NAME COMMAND …: starts it with its output in NAME.out, and waits until it says that everything is healthy.
up() {
  local name=$1 said=${says:-one-time link}
  shift
  : >"$work/$name.out"
  PLACES_RUN="$work:$name" "$@" </dev/null >"$work/$name.out" 2>&1 &
  local pid=$!
  for _ in $(seq 1200); do
    grep -q "$said" "$work/$name.out" && return
    kill -0 "$pid" 2>/dev/null || { fail "it ended: $(tail -3 "$work/$name.out")"; return 1; }
    sleep 0.1
  done
  fail "not healthy within 120 s: $(tail -3 "$work/$name.out")"
}

# refuses CODE TEXT COMMAND …: it ends with this exit code, and says this in one line.
refuses() {
  local code=$1 text=$2 out rc
  shift 2
  out=$(timeout 60 "$@" </dev/null 2>&1)
  rc=$?
  [ "$rc" = "$code" ] || fail "exit code $rc instead of $code: $out" || return 1
  [ "$(grep -c . <<<"$out")" = 1 ] && grep -qF -- "$text" <<<"$out" || fail "said: $out"
}

# down NAME DATA: asks it to stop; nothing of it may be left after 20 s.
down() {
  local left
  kill -TERM "$(grep -oP '"pid":\K\d+' "$2/runner.json")" || return 1
  for _ in $(seq 200); do
    left=$(grep -lsz "^PLACES_RUN=$work:$1$" /proc/[0-9]*/environ)
    [ -z "$left" ] && return
    sleep 0.1
  done
  fail "still there 20 s after SIGTERM: $left"
}

# What a place leaves behind when it fails, and the proxy.
end_ours() {
  local file
  for file in $(grep -lsz "^PLACES_RUN=$work:" /proc/[0-9]*/environ); do
    file=${file#/proc/}
    kill -9 "${file%/environ}" 2>/dev/null
  done
}

# has PATTERN: of what comes in, all of which is read: a writer that is cut off has failed (pipefail).
has() { local text; text=$(cat | tr -d '\0'); grep -qa "$@" <<<"$text"; }

ask() { curl --noproxy '*' -s -m 20 "$@"; }
api() { grep -oP '^API +\K\S+' "$work/$1.out"; }
leads() { ask -H "Authorization: Bearer $(cat "$1/api-key")" "$2/api/v1/cluster" | has '"leader":{'; }
soon() { local seconds=$1; shift; for _ in $(seq $((seconds * 5))); do "$@" && return; sleep 0.2; done; fail "not within $seconds s: $*"; }
status() { "$galaxy" --url "$2" --api-key "$(cat "$1/api-key")" status | has '^leader  coordinator' || fail "galaxy status names no leader"; }

# control DATA PATH [POST]: what 'galaxy resources' does.
control() {
  local url token
  url=$(grep -oP '"url":"\K[^"]+' "$1/runner.json") token=$(grep -oP '"token":"\K[^"]+' "$1/runner.json")
  ask ${3:+-X "$3"} -H "Authorization: Bearer $token" "$url/resources$2"
}

place() {
  local name=$1 at out
  shift
  [[ "$name" == *"$pattern"* ]] || return 0
  at=$(date +%s%N)
  if out=$("$@" 2>&1); then
    printf 'ok   %6.1f s  %s%s\n' "$(($(date +%s%N) - at))e-9" "$name" "${out:+ ($out)}"
  else
    printf 'FAIL %6.1f s  %s: %s\n' "$(($(date +%s%N) - at))e-9" "$name" "$out"
    failed=1
  fi
  end_ours
}

# through URL: sets the array proxied to an 'env' with this proxy under each of its names.
through() { proxied=(env HTTP_PROXY="$1" HTTPS_PROXY="$1" ALL_PROXY="$1" http_proxy="$1" https_proxy="$1" all_proxy="$1"); }

counting_proxy() {
  cat >"$work/proxy.py" <<'P'
import socket, sys, threading
listener = socket.socket()
listener.bind(("127.0.0.1", 3128))
listener.listen(100)
body = b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",' \
       b'"content":"through the proxy"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
def answer(client):
    first = client.recv(65536).split(b"\r\n")[0].decode("latin1")
    with open(sys.argv[1], "a") as hits:
        hits.write((first or "a connection that said nothing") + "\n")
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
    client.close()
while True:
    threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
P
  : >"$work/hits"
  PLACES_RUN="$work:counter" python3 "$work/proxy.py" "$work/hits" >/dev/null 2>&1 &
}

behind_a_counting_proxy() {
  local data="$work/data proxy ğüş 数据" url port answer= proxied
  through http://127.0.0.1:3128
  counting_proxy
  up proxy "${proxied[@]}" "$clone/$bin" "${quick[@]}" --GALAXY_DATA "$data" || return 1
  url=$(api proxy)
  "${proxied[@]}" "$galaxy" --url "$url" --api-key "$(cat "$data/api-key")" status | has '^leader  coordinator' || fail "galaxy status" || return 1
  [ "$(ask -L -o /dev/null -w '%{http_code}' "$(grep -oP '^Dashboard +\K\S+' "$work/proxy.out")")" = 200 ] || fail "dashboard" || return 1
  for port in 8000 8080 8765; do
    [ "$(ask -o /dev/null -w '%{http_code}' "http://[::1]:$port/alive")" = 200 ] || fail "http://[::1]:$port/alive" || return 1
  done
  # Health checks and telemetry come every few seconds.
  sleep 10
  [ -s "$work/hits" ] && { fail "$(wc -l <"$work/hits") internal calls at the proxy: $(sort -u "$work/hits" | head -3)"; return 1; }
  "$galaxy" --url "$url" --api-key "$(cat "$data/api-key")" config set providers.outside '{"base_url": "http://models.example.com/v1", "api_key": "sk-outside"}' >/dev/null || return 1
  for _ in $(seq 50); do
    answer=$(ask -H "Authorization: Bearer $(cat "$data/api-key")" -H 'Content-Type: application/json' "$url/v1/chat/completions" \
      -d '{"model": "outside/m", "messages": [{"role": "user", "content": "hello"}]}')
    grep -q 'through the proxy' <<<"$answer" && break
    sleep 0.2
  done
  grep -q 'through the proxy' <<<"$answer" || fail "the provider's answer: $answer" || return 1
  grep -v '//models.example.com/' "$work/hits" && { fail "those came to the proxy as well"; return 1; }
  down proxy "$data" && echo "0 internal calls at the proxy, $(wc -l <"$work/hits") to the provider; [::1] answers on 8000, 8080, 8765"
}

behind_a_dead_proxy() {
  local proxied
  through http://127.0.0.1:9
  up dead "${proxied[@]}" LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 "$clone/$bin" "${quick[@]}" --GALAXY_DATA "$work/dead" || return 1
  status "$work/dead" "$(api dead)" && down dead "$work/dead"
}

without_a_home() {
  up nohome env -u HOME LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 "$clone/$bin" --no-workers --GALAXY_DATA "$work/nohome" || return 1
  [ -d "$work/nohome/home/.dcp" ] || fail "the orchestrator's home is elsewhere" || return 1
  status "$work/nohome" "$(api nohome)" && down nohome "$work/nohome"
}

# A second start in the same folder, in another clone, and in another clone with free ports.
beside_another() {
  local other="$work/another clone"
  cp -a "$clone" "$other"
  rm -rf "$other/.galaxy"
  refuses 3 "Galaxy already runs here (process " "$clone/$bin" || return 1
  refuses 3 "is taken by Galaxy." "$other/$bin" || return 1
  refuses 3 "--ports any" "$other/$bin" || return 1
  up beside "$other/$bin" "${quick[@]}" --ports any || return 1
  [ -f "$other/.galaxy/api-key" ] || fail "a copied checkout keeps its data elsewhere" || return 1
  status "$other/.galaxy" "$(api beside)" && status "$clone/.galaxy" "$(api run)" && down beside "$other/.galaxy" && down run "$clone/.galaxy"
}

dotnet_run_without_a_home() {
  # Root has a home without HOME, too.
  up run env -u HOME dotnet run --no-build --project Galaxy.AppHost -- "${quick[@]}" || return 1
  beside_another
}

# Every folder on the way to the packages is covered by one that all may enter, in this script's own mounts.
share_packages() {
  local top="/${PLACES_PACKAGES#/}" cover="$work/cover"
  top="/$(cut -d/ -f2 <<<"$top")"
  mkdir -p "$cover${PLACES_PACKAGES#"$top"}" && chmod -R 755 "$cover" || return 1
  mount --bind "$PLACES_PACKAGES" "$cover${PLACES_PACKAGES#"$top"}" && mount --rbind "$cover" "$top" || return 1
  # What the package manager unpacks may be run by its own user only.
  local programs
  for programs in "$PLACES_PACKAGES"/aspire.hosting.orchestration.*/*/tools "$PLACES_PACKAGES"/aspire.dashboard.sdk.*/*/tools; do
    mkdir -p "$work/shared$programs" && cp -a "$programs/." "$work/shared$programs" && chmod -R a+rX "$work/shared" && mount --bind "$work/shared$programs" "$programs" || return 1
  done
}

as_another_user() {
  local data="$work/user/data"
  mkdir -p "$work/user/tmp dir"
  chown -R "$PLACES_USER" "$work/user"
  umask 077
  refuses 2 "Name another one with --GALAXY_DATA <folder>" "${as_user[@]}" "$clone/$bin" || return 1
  refuses 3 "may not run it. Build as this user" "${as_user[@]}" "$clone/$bin" --GALAXY_DATA "$work/user/refused" || return 1
  # The SDK itself needs a home; its own sentence names the cure.
  refuses 1 "Set the 'DOTNET_CLI_HOME' environment variable" "${as_user[@]}" dotnet run --no-build --project Galaxy.AppHost || return 1
  share_packages || return 1
  up user "${as_user[@]}" TMPDIR="$work/user/tmp dir" "$clone/$bin" "${quick[@]}" --GALAXY_DATA "$data" || return 1
  umount -l "/$(cut -d/ -f2 <<<"$PLACES_PACKAGES")"
  [ -z "$(find "$data" -perm /077)" ] || fail "others may read $(find "$data" -perm /077 | head -3)" || return 1
  status "$data" "$(api user)" && down user "$data"
}

read_only_sources() {
  mkdir -p "$work/ro"
  mount --bind "$clone" "$work/ro" && mount -o remount,ro,bind "$work/ro" || return 1
  refuses 2 "Name another one with --GALAXY_DATA <folder>" "$work/ro/$bin" || return 1
  # Nobody can write to /proc, not even root.
  up ro env HOME=/proc "$work/ro/$bin" "${quick[@]}" --GALAXY_DATA "$work/ro-data" || return 1
  status "$work/ro-data" "$(api ro)" && down ro "$work/ro-data"
  local rc=$?
  umount "$work/ro"
  return $rc
}

# late DATA URL STORES COORDINATORS: these stores are stopped, the coordinators restarted; 30 s later the stores are started.
late() {
  local data=$1 url=$2 stores=$3 coordinators=$4 at one
  for one in $stores; do control "$data" "/$one/stop" POST; done
  for one in $coordinators; do control "$data" "/$one/restart" POST; done
  sleep 30
  for one in $coordinators; do
    control "$data" "/$one/logs" | has 'This node waits and goes on by itself' || fail "$one does not say that it waits" || return 1
  done
  control "$data" "" | has -P '"name":"coordinator[^}]*"restarts":[1-9]' && { fail "a coordinator ended instead of waiting"; return 1; }
  at=$(date +%s%N)
  for one in $stores; do control "$data" "/$one/start" POST; done
  soon 60 leads "$data" "$url" || return 1
  printf 'a leader %.1f s after the stores; ' "$(($(date +%s%N) - at))e-9"
  for one in $stores; do control "$data" "/$one/kill" POST >/dev/null; done
  at=$(date +%s%N)
  soon 60 everything_healthy "$data" && soon 60 leads "$data" "$url" || return 1
  printf 'all healthy %.1f s after their kill' "$(($(date +%s%N) - at))e-9"
}

everything_healthy() { sleep 1; control "$1" "" | has '"state":"healthy"' && ! control "$1" "" | has -P '"state":"(?!healthy)'; }

late_store() {
  up late "$clone/$bin" --no-workers --GALAXY_DATA "$work/late" || return 1
  late "$work/late" "$(api late)" redis "coordinator-a coordinator-b coordinator-c" && down late "$work/late"
}

two_of_three_stores_late() {
  up quorum "$clone/$bin" --no-workers --stores 3 --GALAXY_DATA "$work/quorum" || return 1
  late "$work/quorum" "$(api quorum)" "redis-2 redis-3" "coordinator-a coordinator-b coordinator-c" && down quorum "$work/quorum"
}

late_store_of_a_machine() {
  local data="$work/machine"
  mkdir -p "$data"
  echo gx-machine-of-places >"$data/api-key"
  (
    cd "$data" || exit 1
    says='are healthy' up machine env GALAXY_API_KEY=gx-machine-of-places GALAXY_DATA="$data" Galaxy_NODE_ID=machine GALAXY_ADVERTISE=127.0.0.1 "$galaxy" start --quiet || exit 1
    late "$data" http://127.0.0.1:8000 store coordinator && down machine "$data"
  )
}

place "behind a proxy, in folders with blanks and other letters; by IPv6" behind_a_counting_proxy
place "behind a dead proxy, in German" behind_a_dead_proxy
place "without HOME, in Turkish, three coordinators" without_a_home
place "dotnet run --no-build without HOME; a second start in the same folder, in another clone, and there with free ports" dotnet_run_without_a_home
place "as another user, of sources that are root's, no home, umask 077, TMPDIR with blanks" as_another_user
place "read-only sources, HOME that cannot be written" read_only_sources
place "a store 30 s after the coordinators, and killed" late_store
place "two of three stores 30 s after the coordinators, and killed" two_of_three_stores_late
place "galaxy start: the store 30 s after the coordinator, and killed" late_store_of_a_machine
exit $failed
