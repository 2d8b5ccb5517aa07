"""A PC as the prototype's was: its own address, everything in the AIP/1.0 envelope. Arguments: port, key, device id."""
import sys, time, uuid
from websocket import WebSocket

port, key, device = int(sys.argv[1]), sys.argv[2], sys.argv[3]
socket = WebSocket("127.0.0.1", port, f"/ws/device/{device}", [f"X-API-Key: {key}"])


def send(kind, payload):
    socket.send({"protocol": "AIP/1.0", "message_id": str(uuid.uuid4()), "timestamp": time.time(), "from": device, "to": "server", "type": kind, "payload": payload})


send("register", {"device_id": device, "device_type": "windows", "device_name": "A PC", "capabilities": ["open_app", {"name": "screenshot", "version": "2", "priority": 8}]})
socket.wait_for("register_ack")
send("heartbeat", {})
socket.wait_for("heartbeat_ack")
print("ready", flush=True)
command = socket.wait_for("command")
# Not a result by name; it carries the command's id.
send("screenshot_taken", {"request_id": command["request_id"], "task_id": command["task_id"], "result": {"file": "screen.png"}})
send("heartbeat", {})
socket.wait_for("heartbeat_ack")
print("done", flush=True)
