"""The watch that tests of rollouts rely on: it misses no event, and a broken one fails the test."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiClient, CoreV1Api, V1ObjectMeta, V1Pod, V1PodCondition, V1PodStatus
from kubernetes.watch import Watch

from tests.sandbox.serving_pods import serving_pods


def pod(name: str, *, ready: bool) -> V1Pod:
    status = V1PodStatus(conditions=[V1PodCondition(type="Ready", status="True" if ready else "False")])
    return V1Pod(metadata=V1ObjectMeta(name=name, resource_version="1"), status=status)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(items=[pod("a-1", ready=True)], metadata=SimpleNamespace(resource_version="1"))
    monkeypatch.setattr(CoreV1Api, "list_namespaced_pod", lambda *_, **__: found)


@pytest.mark.usefixtures("listed")
def test_every_event_is_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        [("ADDED", pod("a-2", ready=False)), ("MODIFIED", pod("a-2", ready=True)), ("DELETED", pod("a-1", ready=True))]
    ]

    def stream(*_: Any, **__: Any) -> Iterator[dict[str, Any]]:
        yield from ({"type": kind, "object": each} for kind, each in (events.pop() if events else ()))

    monkeypatch.setattr(Watch, "stream", stream)
    with serving_pods(ApiClient(), "llm") as moments:
        pass
    assert [sorted(each) for each in moments] == [["a-1"], ["a-1"], ["a-1", "a-2"], ["a-2"]]


@pytest.mark.usefixtures("listed")
def test_a_watch_that_breaks_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    def stream(*_: Any, **__: Any) -> Iterator[dict[str, Any]]:
        raise ConnectionResetError("the API server went away")
        yield {}

    monkeypatch.setattr(Watch, "stream", stream)
    with pytest.raises(ConnectionResetError), serving_pods(ApiClient(), "llm"):
        pass
