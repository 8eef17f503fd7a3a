"""What both fake engines share: JSON, server-sent events, and the ways in which a server goes wrong.

Each fake is its own process, on a loopback port of the system's choosing; see nursery.py.
"""

import json
import os
import threading
import time
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKENS = tuple(f" word{i}" for i in range(16))
TOKEN_SECONDS = 0.004
STALL_SECONDS = 30.0
TRICKLE_SECONDS = 0.05


class Engine(BaseHTTPRequestHandler):
    """One request. `fault` names the one thing that goes wrong; empty means healthy."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as the engines' servers do: tokens must not wait for each other
    fault = ""
    metrics: Mapping[str, str] = {}
    limit = 64

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests read standard output."""

    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def send(self, status: int, content: str, kind: str) -> None:
        data = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def send_json(self, value: Any, status: int = 200) -> None:
        self.send(status, json.dumps(value), "application/json")

    def send_page(self, status: int = 200) -> None:
        self.send(status, "<html><body>gateway page</body></html>", "text/html")

    def send_events(self, events: Iterable[str]) -> None:
        """Streams chunks; the faults cut the connection, end it early, or trickle without an end."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for i, event in enumerate(events):
            if i == 5 and self.fault == "stream-cut":
                self.close_connection = True
                return
            if i == 5 and self.fault == "stream-ends-early":
                break
            if i == 5 and self.fault == "stream-stalls":
                time.sleep(STALL_SECONDS)
            if self.fault == "stream-trickles":
                time.sleep(TRICKLE_SECONDS)
            self._chunk(f"data:{event}\n\n")
            time.sleep(0 if self.fault else TOKEN_SECONDS)
        self._chunk("")

    def send_metrics(self) -> None:
        match self.fault:
            case "metrics-404":
                self.send_page(404)
            case "metrics-no-prometheus":
                self.send_page()
            case "metrics-trickle":
                self.send_response(200)
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                for _ in range(1000):
                    self.wfile.write(b"#")
                    time.sleep(TRICKLE_SECONDS)
            case _:
                self.send(200, exposition(self.metrics), "text/plain; version=0.0.4")

    def send_health(self) -> None:
        if self.fault == "health-503":
            return self.send_page(503)
        if self.fault == "health-stalls":
            time.sleep(STALL_SECONDS)
        return self.send(200, "", "text/plain")

    def die(self) -> None:
        os._exit(9)

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


def exposition(metrics: Mapping[str, str]) -> str:
    """Prometheus text that has these metrics, as the engines write it."""
    return "".join(
        f"# HELP {name} About {name}.\n# TYPE {name} {kind}\n" + sample(name, kind) for name, kind in metrics.items()
    )


def sample(name: str, kind: str) -> str:
    if kind == "histogram":
        return f'{name}_bucket{{le="+Inf"}} 1.0\n{name}_count 1.0\n{name}_sum 0.5\n'
    if kind == "summary":
        return f'{name}{{quantile="0.5"}} 1.0\n{name}_count 1.0\n{name}_sum 0.5\n'
    return f'{name}{{model_name="m"}} 1.0\n'


def serve(handler: type[Engine], fault: str, metrics: str) -> int:
    """Serves with that fault and those metrics, as JSON, in the background; returns the port."""
    handler.fault, handler.metrics = fault, json.loads(metrics)
    return listen(handler)


def listen(handler: type[BaseHTTPRequestHandler]) -> int:
    """Serves in the background; returns the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
