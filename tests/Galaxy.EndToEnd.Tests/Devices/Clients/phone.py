"""A phone as the prototype's was: connects to the bare port, shakes hands, and does what it is told. Arguments: port, key, device id."""
import sys
from websocket import WebSocket

port, key, device = int(sys.argv[1]), sys.argv[2], sys.argv[3]
socket = WebSocket("127.0.0.1", port, "/", [f"Authorization: Bearer {key}"])
socket.send({"type": "handshake", "version": "1.0", "platform": "android", "device_id": device})
socket.wait_for("handshake_ack")
socket.send({"type": "heartbeat"})
assert socket.wait_for("heartbeat_ack")["timestamp"] > 0
socket.send({"type": "status_update", "status": "idle"})
print("ready", flush=True)
command = socket.wait_for("command")
socket.send({"type": "task_result", "task_id": command["task_id"], "result": {"did": command["command"], "with": command["params"]}})
socket.send({"type": "heartbeat"})
socket.wait_for("heartbeat_ack")
print("done", flush=True)
