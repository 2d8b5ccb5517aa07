#!/usr/bin/env bash
# A model provider that is added on one host is used by OneApi on another, with no restart and no file edited. Makes a second host out of
# a network namespace: the whole system runs here, one more OneApi there, which knows nothing but the address of one coordinator and
# the key. Prints how long each change took to be in use there. Needs root, iproute2, curl. Exit code 0: each within a second.
set -euo pipefail
cd "$(dirname "$0")/../.."

tries=${1:-10}
. tests/hosts/two-hosts.sh

# What one deploys is compiled ahead of time.
dotnet build Galaxy.AppHost -c Release -v q -clp:ErrorsOnly
bench/shared/publish-ahead.sh Coordinator OneApi Gateway Router Store Console
Galaxy.AppHost/bin/Release/net10.0/Galaxy.AppHost --GALAXY_DATA "$data" --API_PORT 18000 --WEB_UI_PORT 0 --WEBSOCKET_PORT 0 --OTLP_GRPC_PORT 0 --OTLP_HTTP_PORT 0 >"$data/output" 2>&1 &
ends_with_test $!
wait_healthy
key=$(cat "$data/api-key")
store=$(grep -Eo 'tcp://127.0.0.1:[0-9]+' "$data/output" | head -1)

# A coordinator that other hosts can reach; those of the local system listen on loopback only.
ConnectionStrings__redis="${store#tcp://}" GALAXY_API_KEY=$key Galaxy_NODE_ID=coordinator-lan GALAXY_BIND=10.77.0.1 HTTP_PORT=18071 GRPC_PORT=19071 GALAXY_DATA="$data/lan" \
  GALAXY_COORDINATORS=$(grep -Eo 'coordinator-a[^/]*http://[0-9.:]+ +http://[0-9.:]+' "$data/output" | grep -Eo 'http://[0-9.:]+$') \
  Galaxy.Coordinator/bin/Release/net10.0/Galaxy.Coordinator >"$data/lan.log" 2>&1 &
ends_with_test $!
GALAXY_API_KEY=$key Galaxy_NODE_ID=oneapi-there GALAXY_BIND=10.77.0.2 HTTP_PORT=18080 GALAXY_COORDINATORS=http://10.77.0.1:19071 \
  ip netns exec "$space" Galaxy.OneApi/bin/Release/net10.0/Galaxy.OneApi >"$data/there.log" 2>&1 &
other=$!
ends_with_test $other

models() { curl -sf -m 2 -H "Authorization: Bearer $key" http://10.77.0.2:18080/v1/models || true; }
for _ in $(seq 200); do models | grep -q galaxy/echo && break; sleep 0.1; done
models | grep -q galaxy/echo || { tail -5 "$data/lan.log" "$data/there.log"; exit 1; }
began=$(awk '{print $22}' /proc/$other/stat)

# Programs that have just started still compile themselves.
sleep 10
worst=0
for i in $(seq "$tries"); do
  at=$(date +%s%N)
  curl -sf -m 5 -X PATCH -H "Authorization: Bearer $key" -H 'content-type: application/json' http://127.0.0.1:18000/api/v1/config/providers \
    -d "{\"try$i\": {\"base_url\": \"http://10.77.0.1:1/v1\", \"models\": [\"model\"]}}" >/dev/null
  until models | grep -q "try$i/model"; do
    [ $(($(date +%s%N) - at)) -lt 5000000000 ] || { echo "try $i: not in use there after 5 s"; exit 1; }
  done
  ms=$((($(date +%s%N) - at) / 1000000))
  echo "try $i: in use on the other host after $ms ms"
  [ $ms -le $worst ] || worst=$ms
done

refused=$(curl -s -m 5 -X PATCH -H "Authorization: Bearer $key" -H 'content-type: application/json' http://127.0.0.1:18000/api/v1/config/providers -d '{"bad": {"base_url": "ftp://x"}}')
echo "an invalid one: $refused"
grep -q '"status":400' <<<"$refused" || { echo "was not refused"; exit 1; }
[ "$(awk '{print $22}' /proc/$other/stat)" = "$began" ] || { echo "OneApi was restarted"; exit 1; }
echo "slowest of $tries: $worst ms"
[ $worst -le 1000 ]
