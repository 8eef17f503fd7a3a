"""`l4serve verify` before servers that repeat the key or answer without an end, and among odd variables."""

import gzip
import html
import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest

from l4serve.cli.subjects.client_keys import API_KEY_VARIABLE
from l4serve.config.secrecy.secret_shapes import without
from l4serve.verification import http_client
from l4serve.verification.checks import OverlongError
from l4serve.verification.http_client import MOST_BYTES
from l4serve.verification.http_probe import get
from tests.cli.verifying import run
from tests.verification.conftest import target_of

VLLM = ("--engine", "vllm", "--engine-version", "0.26.0")
NOWHERE = ("--base-url", "http://127.0.0.1:9", *VLLM, "--timeout", 1)
KEY = "tok9PlainQx7"
OVERLONG = b'{"data": [{"id": "%s"}]}' % (b"a" * (MOST_BYTES + 1))
TRICKLED = 60


@pytest.fixture
def answering():
    """Starts servers on loopback that give each request one answer; all are gone after the test."""
    servers = []

    def start(status, body, *, encoding=None, seconds=0.0):
        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if encoding:
                    self.send_header("Content-Encoding", encoding)
                self.end_headers()
                with suppress(OSError):
                    for part in (bytes([byte]) for byte in body) if seconds else (body,):
                        self.wfile.write(part)
                        time.sleep(seconds)

            do_GET = do_POST = answer  # noqa: N815 (the names that http.server calls)

            def log_message(self, *_):
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


REPEATING = {
    "a refusal": (401, {"error": f"bad key {KEY}"}),
    "one that a cut divides": (401, {"error": "x" * 100 + KEY}),
    "a long one that a cut divides": (401, {"error": {"message": " ".join(["no"] * 85) + KEY}}),
    "an answer": (200, {"error": {"message": f"Incorrect API key provided: {KEY}"}}),
    "the name of a model": (200, {"data": [{"id": KEY}], "version": KEY}),
    "a list": (200, [f"bad key {KEY}"]),
}


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("what", REPEATING)
def test_a_key_that_the_server_repeats_is_not_printed(answering, what, form):
    status, answer = REPEATING[what]
    url = answering(status, json.dumps(answer).encode())
    result = run("--base-url", url, *VLLM, *form, env={API_KEY_VARIABLE: KEY})
    assert result.exit_code == 1, result.output
    assert KEY[:5] not in result.output
    assert "[hidden]" in result.output or "divides" in what


@pytest.mark.parametrize(
    "escape", [str, lambda key: json.dumps(key)[1:-1], html.escape, lambda key: quote(key, safe="")]
)
def test_a_secret_is_hidden_as_others_escape_it(escape):
    secret = 'a/b"c&d é'
    assert without(f"key {escape(secret)}!", (secret,)) == "key [hidden]!"


def test_no_secret_hides_nothing():
    assert without("all of it", ("",)) == "all of it"


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_an_answer_over_the_limit_fails_each_check_and_says_so(answering, encoding):
    url = answering(200, gzip.compress(OVERLONG) if encoding else OVERLONG, encoding=encoding)
    result = run("--base-url", url, *VLLM, "--timeout", 10, "--json")
    details = {check["name"]: check["detail"] for check in json.loads(result.stdout)["checks"]}
    assert result.exit_code == 1
    for name, path in {"health": "/health", "models": "/v1/models", "metrics": "/metrics"}.items():
        assert details[name] == f"GET {path} answered more than 8 MiB, which no such answer needs"


def test_a_completion_over_the_limit_says_so(answering):
    url = answering(200, OVERLONG)
    result = run("--base-url", url, *VLLM, "--model", "m", "--max-model-len", 64, "--timeout", 10, "--json")
    details = {check["name"]: check["detail"] for check in json.loads(result.stdout)["checks"]}
    for name in ("completion", "chat", "context limit"):
        assert "answered more than 8 MiB" in details[name]


def test_a_compressed_answer_is_read(answering):
    url = answering(200, gzip.compress(b'{"version": "0.26.0"}'), encoding="gzip")
    assert get(target_of(url, "vllm"), "/version").json() == {"version": "0.26.0"}


def test_an_answer_that_trickles_is_not_read_to_its_end(answering):
    url = answering(200, b" " * TRICKLED, seconds=0.05)
    with pytest.raises(OverlongError, match=r"GET /version answered for more than the 0\.3 s it may take"):
        get(target_of(url, "vllm", timeout=0.3), "/version")


@pytest.fixture
def afresh():
    """Certificates are read anew, before the test and after it."""
    http_client._trusted.cache_clear()
    yield
    http_client._trusted.cache_clear()


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "ALL_PROXY names a SOCKS proxy"),
        ("http_proxy", "nonsense://x", "http_proxy is not the address of a proxy"),
        ("HTTPS_PROXY", f"http://u:{KEY}@[::1", "HTTPS_PROXY is not the address of a proxy"),
        ("SSL_CERT_FILE", "/nonexistent", "SSL_CERT_FILE names what cannot be used"),
        ("SSL_CERT_FILE", "/etc/hostname", "SSL_CERT_FILE names what cannot be used"),
        ("SSLKEYLOGFILE", "/nonexistent/x", "SSLKEYLOGFILE names what cannot be used"),
    ],
)
def test_a_variable_that_stops_the_client_exits_2_with_its_name(tmp_path, name, value, words):
    # The log of keys is opened where the environment names certificates.
    result = run(*NOWHERE, env={"SSL_CERT_FILE": None, "SSL_CERT_DIR": str(tmp_path), name: value})
    assert result.exit_code == 2, result.output
    assert words in result.output
    assert f"fix: unset {name}" in result.output
    assert KEY not in result.output


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_for_any_host_is_a_remedy(name):
    result = run(*NOWHERE, env={"ALL_PROXY": "socks5://127.0.0.1:9", name: "*"})
    assert result.exit_code == 1, result.output
    assert "broken: health" in result.output
