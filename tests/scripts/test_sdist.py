"""A source distribution comes from the index that pip is set up with, and only with the index's hash."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from scripts.contractgen.sdist import fetch_archive, index_url, releases_of

CONTENT = b"not really an archive"


class Index(BaseHTTPRequestHandler):
    digest = hashlib.sha256(CONTENT).hexdigest()
    names = ("acme-1.0.tar.gz", "acme-1.1rc1.tar.gz", "acme-1.2-py3-none-manylinux_x86_64.whl", "acme-0.9.tar.gz")

    def do_GET(self) -> None:
        host = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
        entries = [
            {"filename": name, "url": f"{host}/files/{name}", "hashes": {"sha256": self.digest}} for name in self.names
        ]
        body = json.dumps({"files": entries}).encode() if self.path == "/simple/acme/" else CONTENT
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Index]]:
    handler = type("Handler", (Index,), {})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_download_is_the_indexs(index: type[Index], tmp_path: Path) -> None:
    archive = fetch_archive("acme", "1.0", tmp_path)
    assert archive.path.read_bytes() == CONTENT
    assert (archive.name, archive.sha256) == ("acme-1.0.tar.gz", Index.digest)


def test_a_release_without_a_source_distribution_comes_as_its_wheel(index: type[Index], tmp_path: Path) -> None:
    assert fetch_archive("acme", "1.2", tmp_path).name == "acme-1.2-py3-none-manylinux_x86_64.whl"


def test_final_releases_are_listed_from_the_oldest_wanted_on(index: type[Index]) -> None:
    assert releases_of("acme", "1.0") == ["1.0", "1.2"]


def test_a_wrong_hash_stops_and_leaves_nothing(index: type[Index], tmp_path: Path) -> None:
    index.digest = "0" * 64
    with pytest.raises(SystemExit, match="does not match the index's hash"):
        fetch_archive("acme", "1.0", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_release_is_named(index: type[Index], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"the index has no acme-2\.0\.tar\.gz"):
        fetch_archive("acme", "2.0", tmp_path)


@pytest.mark.slow
def test_without_a_setting_pip_says_where_its_index_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert index_url().startswith("http")
