"""A server behind a tunnel is spoken to by TLS whatever its certificate names; any other must be trusted."""

import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from l4serve.verification.http_probe import get
from tests.verification.conftest import target_of


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A server on loopback whose certificate names a Service of a cluster."""
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=qwen.llm.svc",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    server = http.server.HTTPServer(("127.0.0.1", 0), Health)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_tunnel_is_not_held_to_the_name_of_the_certificate(served: str) -> None:
    assert get(target_of(served, "vllm", through_tunnel=True), "/health").status_code == 200


def test_another_server_is(served: str) -> None:
    with pytest.raises(httpx2.ConnectError, match="CERTIFICATE"):
        get(target_of(served, "vllm"), "/health")
