#!/usr/bin/env bash
# Shows that the images work: builds and pushes all of them to a registry on this machine, pulls them back, unpacks them, and starts the system from them
# as a container runtime would (own mounts, read-only root file system, user 1654, the image's environment and entry point), in a network of its own.
# A leader must be there, a task be done, a chat be answered. Needs root and Debian's docker-registry, skopeo, umoci, iproute2, curl, jq.
set -euo pipefail +m
cd "$(dirname "$0")/../.."
tag=${TAG:-0.2.0}
registry=localhost:5000
work=$(mktemp -d)
space=galaxy-images
pids=()
cleanup() {
  local pid
  for pid in $(ip netns pids "$space" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  # Whose end was wanted is not to be reported as killed.
  wait 2>/dev/null || true
  ip netns del "$space" 2>/dev/null || true
  sleep 0.5
  rm -rf "$work"
}
trap cleanup EXIT

cat >"$work/registry.yml" <<END
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: 127.0.0.1:5000}
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
pids+=($!)
for _ in $(seq 50); do curl -fs "http://$registry/v2/" >/dev/null && break; sleep 0.1; done

echo "== base image of Debian's packages"
tests/containers/base-image.sh "$registry/dotnet-base:10.0"
echo "== images"
deploy/publish-containers.sh --registry "$registry" --tag "$tag" --base "$registry/dotnet-base:10.0" --platforms linux-x64 --insecure

echo "== pulled and unpacked"
for name in store coordinator router oneapi discovery gateway console cli; do
  skopeo copy --quiet --src-tls-verify=false "docker://$registry/galaxy-$name:$tag" "oci:$work/oci-$name:$tag"
  umoci unpack --image "$work/oci-$name:$tag" "$work/$name" >/dev/null 2>&1
  mkdir -p "$work/$name/rootfs/data" "$work/$name/rootfs/proc" "$work/data-$name"
  chown 1654:1654 "$work/data-$name"
  user=$(jq -r .process.user.uid "$work/$name/config.json")
  [ "$user" = 1654 ] || { echo "galaxy-$name runs as $user"; exit 1; }
  jq -e .bomFormat "$work/$name/rootfs/app/sbom.cdx.json" >/dev/null
  echo "galaxy-$name $(du -sm "$work/$name/rootfs" | cut -f1) MB, user $user, $(jq '.components | length' "$work/$name/rootfs/app/sbom.cdx.json") components in its SBOM"
done

ip netns add "$space"
ip -n "$space" link set lo up

# start NAME INSTANCE [VARIABLE=VALUE…] [-- ARGUMENT…]: the image's program with its arguments, as PID says.
start() {
  local name=$1 instance=$2; shift 2
  local settings=() arguments=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do settings+=("$1"); shift; done
  [ $# -eq 0 ] || { shift; arguments=("$@"); }
  mapfile -t environment < <(jq -r '.process.env[]' "$work/$name/config.json" | grep -v ^TERM=)
  mapfile -t entry < <(jq -r '.process.args[]' "$work/$name/config.json")
  local folder; folder=$(jq -r .process.cwd "$work/$name/config.json")
  mkdir -p "$work/data-$instance"; chown 1654:1654 "$work/data-$instance"
  ip netns exec "$space" unshare --mount bash -c '
    root=$1 data=$2 folder=$3; shift 3
    mount --bind "$root" "$root"; mount --bind "$data" "$root/data"; mount -t tmpfs tmpfs "$root/tmp"; mount -t proc proc "$root/proc"; mount --bind /dev "$root/dev"
    mount -o remount,bind,ro "$root"
    exec env -i "${@:2:$1}" /usr/bin/unshare --root "$root" --wd "$folder" --setgid 1654 --setuid 1654 "${@:$(($1 + 2))}"' _ "$work/$name/rootfs" "$work/data-$instance" "$folder" \
    "$((${#environment[@]} + ${#settings[@]}))" "${environment[@]}" "${settings[@]}" "${entry[@]}" "${arguments[@]}" >"$work/$instance.log" 2>&1 &
  pids+=($!)
}
there() { ip netns exec "$space" curl -fsS -m 20 -H "Authorization: Bearer $key" "$@"; }
# until SECONDS COMMAND…
until_true() {
  local deadline=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $deadline ]; then echo "not in time: $*"; tail -n 15 "$work"/*.log; exit 1; fi
    sleep 0.3
  done
}

echo "== started from the images"
key=gx-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
common=("GALAXY_API_KEY=$key" "GALAXY_BIND=127.0.0.1" "ConnectionStrings__redis=127.0.0.1:6379,password=$password")
known="GALAXY_COORDINATORS=127.0.0.1:9071,127.0.0.1:9072,127.0.0.1:9073"
start store store "GALAXY_STORE_PASSWORD=$password" -- --port 6379 --data /data
for i in 1 2 3; do
  seeds=$(printf '127.0.0.1:907%s,' 1 2 3)
  start coordinator "coordinator-$i" "${common[@]}" "Galaxy_NODE_ID=coordinator-$i" "HTTP_PORT=807$i" "GRPC_PORT=907$i" "Galaxy_SEEDS=${seeds%,}"
done
start console console "${common[@]}" "$known" Galaxy_NODE_ID=console
start router router "${common[@]}" "$known" Galaxy_NODE_ID=router
start oneapi oneapi "${common[@]}" "$known" Galaxy_NODE_ID=oneapi
start discovery discovery "${common[@]}" "$known" Galaxy_NODE_ID=discovery
start gateway gateway "${common[@]}" "$known" Galaxy_NODE_ID=gateway services__console__http__0=http://127.0.0.1:8090
start cli worker "GALAXY_API_KEY=$key" -- worker --id worker --master ws://127.0.0.1:8765

leads() { there http://127.0.0.1:8000/api/v1/cluster | jq -e '.leader.node_id and .devices_online == 1 and ([.nodes[] | select(.state == "alive")] | length) == 3'; }
until_true 60 leads
echo "leader: $(there http://127.0.0.1:8000/api/v1/cluster | jq -c '{leader: .leader.node_id, token: .leader.token, nodes: [.nodes[].node_id], devices_online}')"
id=$(there -X POST -H 'Content-Type: application/json' -d '{"action":"echo","params":{"text":"from an image"}}' http://127.0.0.1:8000/api/v1/tasks | jq -r .task_id)
done_() { there "http://127.0.0.1:8000/api/v1/tasks/$id" | jq -e '.state == "completed" and .result.text == "from an image"'; }
until_true 30 done_
echo "task:   $(there "http://127.0.0.1:8000/api/v1/tasks/$id" | jq -c '{state, device_id, result}')"
chat=$(there -X POST -H 'Content-Type: application/json' -d '{"model":"galaxy/echo","messages":[{"role":"user","content":"hello from an image"}]}' http://127.0.0.1:8000/v1/chat/completions | jq -r '.choices[0].message.content')
[[ "$chat" == *"hello from an image" ]] || { echo "the chat answered: $chat"; exit 1; }
echo "chat:   $chat"
there -o /dev/null http://127.0.0.1:8080/console.css
[ "$(there -o /dev/null -w '%{content_type}' http://127.0.0.1:8080/console.css)" = text/css ] || { echo "the console's files have no type"; exit 1; }
# Killed, another leads, and what was done is there.
leader=$(there http://127.0.0.1:8000/api/v1/cluster | jq -r .leader.node_id)
for pid in $(ip netns pids "$space"); do
  grep -qz "^Galaxy_NODE_ID=$leader$" "/proc/$pid/environ" 2>/dev/null && kill -9 "$pid" || true
done
another() { there http://127.0.0.1:8000/api/v1/cluster | jq -e --arg was "$leader" '.leader.node_id and .leader.node_id != $was'; }
until_true 20 another
done_ >/dev/null
echo "killed $leader: $(there http://127.0.0.1:8000/api/v1/cluster | jq -r .leader.node_id) leads, the task is there"
probe() { start "$1" "probe-$1" "${common[@]}" "Galaxy_NODE_ID=probe" -- --probe; wait "${pids[-1]}"; }
for name in console router oneapi discovery gateway; do probe "$name" || { echo "--probe of $name says that it is not alive"; exit 1; }; done
start store probe-store "GALAXY_STORE_PASSWORD=$password" -- --probe; wait "${pids[-1]}" || { echo "--probe of the store says that it is not alive"; exit 1; }
echo "== all probes say alive; all of it ran read-only as user 1654"
