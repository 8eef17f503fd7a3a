"""Google's APIs as documents by path, served on loopback."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from l4serve.verification.google_apis import ROOTS, GoogleApis

Answers = dict[str, Any]


@contextmanager
def google(documents: Answers, asked: list[str] | None = None) -> Iterator[GoogleApis]:
    """Google's APIs on loopback; what they have no document for is not found. `asked` gets the paths of requests."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            if asked is not None:
                asked.append(self.path)
            found = documents.get(self.path.partition("?")[0])
            body = json.dumps(found if found is not None else {"error": {"message": "not found"}}).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    session = requests.Session()
    session.trust_env = False
    root = f"http://127.0.0.1:{server.server_port}"
    try:
        yield GoogleApis(session, {name: f"{root}/{name}" for name in ROOTS})
    finally:
        session.close()
        server.shutdown()
        server.server_close()
        thread.join()
