"""HashiCorp Vault, as much as the engine asks of it: it wraps the key of a stack's secrets, and unwraps it.

From a passphrase every command of the CLI derives that key anew, which takes longer than all else that most do.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROVIDER = "hashivault://tests"
"""The provider of secrets that the CLI is told of a stack."""
_OTHER = {"ciphertext": "plaintext", "plaintext": "ciphertext"}


class _Transit(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = json.dumps({"data": {_OTHER[name]: text for name, text in asked.items()}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def vault() -> Iterator[dict[str, str]]:
    """The variables by which the CLI finds one that serves meanwhile, on loopback. It keeps keys from nobody."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Transit) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield {
                "VAULT_SERVER_URL": f"http://127.0.0.1:{server.server_port}",
                "VAULT_SERVER_TOKEN": "only for this test",
            }
        finally:
            server.shutdown()
            thread.join()
