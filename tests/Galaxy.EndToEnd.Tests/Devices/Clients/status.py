"""A subscriber of the status socket. Arguments: port, key, the device that it waits for."""
import sys
from websocket import WebSocket

port, key, device = int(sys.argv[1]), sys.argv[2], sys.argv[3]
socket = WebSocket("127.0.0.1", port, f"/ws/status?token={key}")
initial = socket.wait_for("initial_status")
assert isinstance(initial["devices"], list) and initial["leader"]["node_id"]
socket.send({"type": "ping"})
socket.wait_for("pong")
print("ready", flush=True)
while socket.wait_for("device_status_update")["device_id"] != device:
    pass
while socket.wait_for("device_disconnected")["device_id"] != device:
    pass
print("done", flush=True)
