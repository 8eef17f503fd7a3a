"""A kubelet that knows logs alone: the API server asks it for them, as it asks one of a real node."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from l4serve.sandbox.certificates import Certificates
from l4serve.sandbox.state import PKI, SandboxState


@contextmanager
def logs_kubelet(sandbox: SandboxState, log_of: Callable[[str], str]) -> Iterator[int]:
    """The port of a kubelet that answers with `log_of` a pod, by its name."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, kind, _, pod, *_ = self.path.split("?")[0].split("/")
            body = log_of(pod).encode() if kind == "containerLogs" else b""
            self.send_response(200 if body else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    pair = Certificates(sandbox.folder / PKI).pair("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
