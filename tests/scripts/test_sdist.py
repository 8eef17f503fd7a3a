"""A source distribution comes from the index that pip is set up with, and only with the index's hash."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from scripts.contractgen.sdist import fetch_sdist, index_url

CONTENT = b"not really an archive"


class Index(BaseHTTPRequestHandler):
    digest = hashlib.sha256(CONTENT).hexdigest()

    def do_GET(self) -> None:
        host = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
        entry = {
            "filename": "acme-1.0.tar.gz",
            "url": f"{host}/files/acme-1.0.tar.gz",
            "hashes": {"sha256": self.digest},
        }
        body = json.dumps({"files": [entry]}).encode() if self.path == "/simple/acme/" else CONTENT
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Index]]:
    handler = type("Handler", (Index,), {})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_download_is_the_indexs(index: type[Index], tmp_path: Path) -> None:
    assert fetch_sdist("acme", "1.0", tmp_path).read_bytes() == CONTENT


def test_a_wrong_hash_stops_and_leaves_nothing(index: type[Index], tmp_path: Path) -> None:
    index.digest = "0" * 64
    with pytest.raises(SystemExit, match="does not match the index's hash"):
        fetch_sdist("acme", "1.0", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_release_is_named(index: type[Index], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"the index has no acme-2\.0\.tar\.gz"):
        fetch_sdist("acme", "2.0", tmp_path)


def test_without_a_setting_pip_says_where_its_index_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert index_url().startswith("http")
