"""Real processes on loopback that speak each engine's HTTP interface."""

import atexit
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from l4serve.verification import checks
from l4serve.verification.report import Report
from l4serve.verification.server import verify_server
from l4serve.verification.target import Target

FAKES = Path(__file__).parent / "fakes"
MODEL = "org/model"
LIMIT = 64
VERSIONS: dict[str, str] = {"vllm": "0.26.0", "tgi": "3.3.7"}
METRICS = {
    "vllm": {
        "vllm:num_requests_running": "gauge",
        "vllm:prompt_tokens_total": "counter",
        "vllm:iteration_tokens_total": "histogram",
        "vllm:time_to_first_token_seconds": "histogram",
    },
    "tgi": {"tgi_request_count": "counter", "tgi_queue_size": "gauge", "tgi_request_duration": "histogram"},
}


@contextmanager
def running_engine(kind: str, fault: str = "", metrics: dict[str, str] | None = None) -> Iterator[str]:
    """The base URL of a fake engine process, which is gone at the end."""
    with _running(kind, fault, json.dumps(metrics or METRICS[kind])) as url:
        yield url


@contextmanager
def running_kube(engine_url: str, fault: str = "") -> Iterator[str]:
    """The URL of a fake Kubernetes API whose ready pod is the engine at that URL."""
    with _running("kube", engine_url.rsplit(":", 1)[1], fault) as url:
        yield url


@cache
def _nursery() -> subprocess.Popen[str]:
    # Without site: a server of the standard library alone starts in half the time.
    command = [sys.executable, "-S", "-E", str(FAKES / "nursery.py")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)
    return process


def _asked(question: object) -> str:
    nursery = _nursery()
    assert nursery.stdin
    assert nursery.stdout
    nursery.stdin.write(f"{json.dumps(question)}\n")
    nursery.stdin.flush()
    return nursery.stdout.readline()


@contextmanager
def _running(*fake: str) -> Iterator[str]:
    process, port = map(int, _asked(fake).split())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        _asked(process)


def target_of(base_url: str, kind: str, **changes: Any) -> Target:
    """What the fake engine is expected to be."""
    promised: dict[str, Any] = {
        "served_names": (MODEL,),
        "max_model_len": LIMIT,
        "metrics": METRICS[kind],
        "timeout": 20.0,
    }
    return Target(base_url=base_url, kind=kind, version=VERSIONS[kind], **(promised | changes))


@cache
def report_on(kind: str, fault: str, timeout: float = 20.0) -> Report:
    """The report on a fake engine with that fault; it does not change between the cases that look at it."""
    with running_engine(kind, fault) as url:
        return verify_server(target_of(url, kind, timeout=timeout), "w")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> float:
    """The seconds that a check may take, and as many more until it is given up."""
    monkeypatch.setattr(checks, "_GRACE", 0.2)
    return 0.2


@pytest.fixture
def engine() -> Iterator[Callable[..., str]]:
    """Starts fake engines; all are gone after the test."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(running_engine(*args, **kwargs))


@pytest.fixture
def kube() -> Iterator[Callable[..., str]]:
    """Starts fake Kubernetes APIs; all are gone after the test."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(running_kube(*args, **kwargs))
