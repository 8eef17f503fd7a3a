"""Keys that would change nothing are refused: whoever writes one takes it for what happens."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from tests import factories
from tests.each_case import each

BUCKET = {"kind": "bucket", "uri": "gs://models/qwen", "reader": "streamer"}
CLAIM = {"kind": "claim", "claim": "models"}


def refused(serving: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as told:
        factories.planned(serving)
    return str(told.value)


def qwen(*, source: dict[str, Any] | None = None, stack: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    one = factories.workload(**fields)
    if source is not None:
        one["model"]["source"] = source
    return factories.serving({"qwen": one}, **(stack or {}))


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "cache of a streamer": (qwen(source={**BUCKET, "cache": "memory"}), "cache says where FUSE keeps files"),
    "peers of an open pod": (
        qwen(stack={"networkPolicy": {"enabled": False, "from": [{"namespace": "web"}]}}),
        "enabled: false closes nothing that from could open",
    ),
    "paths of no route": (
        qwen(stack={"expose": {"to": "network"}}, expose={"enabled": False, "path": "/a"}),
        "enabled: false makes no route, so path says nothing",
    ),
    "promises without alerts": (qwen(objectives={"queue": 3}), "workloads.qwen.objectives: the stack raises no alerts"),
    "a cache that nobody may write": (
        qwen(source=CLAIM, compileCache={"claim": "models", "path": "c"}),
        "workloads.qwen.compileCache.claim: the engine writes to it",
    ),
}


@each(list(CASES), str)
def test_a_key_without_effect_is_refused(name: str) -> None:
    serving, said = CASES[name]
    assert said in refused(serving)


@each(
    [
        qwen(source=BUCKET),
        qwen(stack={"networkPolicy": {"enabled": False}}),
        qwen(stack={"monitoring": {"alerts": {}}}, objectives={"queue": 3}),
        qwen(source={**CLAIM, "access": "ReadWriteMany"}, compileCache={"claim": "models", "path": "c"}),
        qwen(source=CLAIM, compileCache={"claim": "compiled"}),
    ],
    str,
)
def test_what_has_an_effect_passes(serving: dict[str, Any]) -> None:
    assert factories.planned(serving)


def test_a_gateway_that_serves_nothing_is_told() -> None:
    def told(**fields: Any) -> list[str]:
        plan = factories.planned(qwen(stack={"expose": {"to": "network"}}, **fields))
        return [note.path for note in plan.notes if note.id == "gateway-without-route"]

    assert told(expose={"enabled": False}) == ["expose"]
    assert told() == []
