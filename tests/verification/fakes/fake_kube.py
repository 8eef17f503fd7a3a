"""A process that speaks as much of the Kubernetes API as a port-forward needs: Service, pods, and the stream.

The stream is the real one: WebSocket, a channel byte before each frame,
the port's number first on each channel.
"""

import base64
import hashlib
import json
import socket
import struct
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fake_http import listen

CONTAINER_PORT = 8123
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BINARY, _CLOSE = 2, 8


class Kube(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine_port = 0
    fault = ""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests read standard output."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        namespace, *rest = url.path.removeprefix("/api/v1/namespaces/").split("/")
        match rest:
            case ["services", name] if self.fault != "no-service":
                self.send(service(name, namespace, self.fault))
            case ["pods"]:
                self.send({"kind": "PodList", "apiVersion": "v1", "items": pods(self.fault)})
            case ["pods", "pod-b", "portforward"] if self.fault != "forbidden":
                self.forward(int(parse_qs(url.query)["ports"][0]))
            case ["pods", _, "portforward"]:
                self.send({"kind": "Status", "reason": "Forbidden"}, 403)
            case _:
                self.send({"kind": "Status", "reason": "NotFound"}, 404)

    def send(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def forward(self, port: int) -> None:
        key = self.headers["Sec-WebSocket-Key"] + _GUID
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accepted = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
        self.send_header("Sec-WebSocket-Accept", accepted)
        self.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
        self.end_headers()
        self.close_connection = True
        for channel in (0, 1):
            self.send_frame(bytes([channel]) + struct.pack("<H", port))
        if self.fault == "nothing-listens" or port != CONTAINER_PORT:
            self.send_frame(b"\x01" + f"failed to connect to localhost:{port} inside pod".encode())
            return
        with socket.create_connection(("127.0.0.1", self.engine_port)) as engine:
            threading.Thread(target=self.pump_answers, args=(engine,), daemon=True).start()
            while (data := self.read_frame()) is not None:
                engine.sendall(data[1:])

    def pump_answers(self, engine: socket.socket) -> None:
        with suppress(OSError, ValueError):  # the client may have gone
            while data := engine.recv(4096):
                self.send_frame(b"\x00" + data)
            self.send_frame(b"", _CLOSE)

    def send_frame(self, data: bytes, opcode: int = _BINARY) -> None:
        size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data))
        self.wfile.write(bytes([0x80 | opcode]) + size + data)
        self.wfile.flush()

    def read_frame(self) -> bytes | None:
        head = self.rfile.read(2)
        if len(head) < 2 or head[0] & 0x0F == _CLOSE:
            return None
        size = head[1] & 0x7F
        if size >= 126:
            size = int.from_bytes(self.rfile.read(2 if size == 126 else 8), "big")
        mask = self.rfile.read(4)
        return bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(size)))


def service(name: str, namespace: str, fault: str) -> dict[str, Any]:
    port = {"port": 9 if fault == "other-port" else 8000, "targetPort": "nope" if fault == "unnamed-port" else "http"}
    spec = {"selector": {} if fault == "no-selector" else {"app": "w"}, "ports": [port]}
    return {"kind": "Service", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def pods(fault: str) -> list[dict[str, Any]]:
    """A pod that is pulling its image, and a ready one."""
    waiting = {"name": "engine", "ready": False, "restartCount": 0, "image": "i", "imageID": ""}
    waiting["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
    pulling = {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]}
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    found = [pod("pod-a", {**pulling, "containerStatuses": [waiting]}), pod("pod-b", ready)]
    return {"not-ready": found[:1], "no-pods": []}.get(fault, found)


def pod(name: str, status: dict[str, Any]) -> dict[str, Any]:
    container = {"name": "engine", "ports": [{"name": "http", "containerPort": CONTAINER_PORT}]}
    metadata = {"name": name, "namespace": "llm"}
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}, "status": status}


def start(engine_port: str, fault: str) -> int:
    """Serves in the background; returns the port."""
    Kube.engine_port, Kube.fault = int(engine_port), fault
    return listen(Kube)
