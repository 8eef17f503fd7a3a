"""The tunnel, with the real Kubernetes client against a process that speaks the port-forward protocol."""

import socket
import threading

import httpx2
import pytest
from kubernetes.client import ApiClient, Configuration

from l4serve.verification.port_forward import forwarded, pod_stream
from l4serve.verification.service_pod import PodPort, find_pod
from tests.verification.conftest import MODEL

POD = PodPort("llm", "pod-b", 8123)


def client_of(url):
    configuration = Configuration()
    configuration.host = url
    return ApiClient(configuration)


@pytest.fixture
def cluster(engine, kube):
    return lambda fault="", engine_fault="": client_of(kube(engine("vllm", engine_fault), fault))


def test_pod_and_container_port_follow_the_service(cluster):
    assert find_pod(cluster(), "llm", "w", 8000, 5) == POD


def test_requests_pass_both_ways_also_when_large(cluster):
    with forwarded(pod_stream(cluster(), POD)) as tunnel:
        assert httpx2.get(f"{tunnel.url}/v1/models").json()["data"][0]["id"] == MODEL
        body = {"prompt": [1] * 60, "max_tokens": 4, "padding": "x" * 300_000}
        assert httpx2.post(f"{tunnel.url}/v1/completions", json=body).json()["usage"]["prompt_tokens"] == 60
        assert tunnel.errors == []


def test_connections_at_the_same_time_have_streams_of_their_own(cluster):
    answers = []
    with forwarded(pod_stream(cluster(), POD)) as tunnel:
        threads = [
            threading.Thread(target=lambda: answers.append(httpx2.get(f"{tunnel.url}/version").json()["version"]))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert answers == ["0.26.0+cu130"] * 6


def test_nothing_listens_after_the_block(cluster):
    with forwarded(pod_stream(cluster(), POD)) as tunnel:
        address = ("127.0.0.1", tunnel.port)
        waiting = socket.create_connection(address)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    waiting.settimeout(5)
    assert waiting.recv(1) == b""
    waiting.close()


@pytest.mark.parametrize(
    ("fault", "words"), [("nothing-listens", "failed to connect to localhost:8123"), ("forbidden", "403")]
)
def test_what_breaks_on_the_way_is_kept(cluster, fault, words):
    with forwarded(pod_stream(cluster(fault), POD)) as tunnel, pytest.raises(httpx2.TransportError):
        httpx2.get(f"{tunnel.url}/health")
    assert any(words in error for error in tunnel.errors), tunnel.errors


def test_stream_that_ends_midway_ends_the_connection():
    class Cut:
        def __init__(self):
            self.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b""]

        def recv(self, size):
            return self.answers.pop(0)

        def sendall(self, data):
            pass

        def close(self):
            pass

        def error(self):
            return "lost connection to pod"

    with forwarded(Cut) as tunnel, pytest.raises(httpx2.TransportError):
        httpx2.get(f"{tunnel.url}/health", timeout=5)
    assert tunnel.errors == ["lost connection to pod"]
