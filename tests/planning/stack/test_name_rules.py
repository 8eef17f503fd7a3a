"""Names that options give to objects of their own, which no other workload may have."""

from typing import Any

import pytest

from l4serve.planning.stack.name_rules import name_problems
from tests import factories

MANAGER = {"secretManager": {"secret": "key"}}


def problems(workloads: dict[str, Any], **stack: Any) -> list[str]:
    config = factories.loaded(factories.serving(workloads, **stack)).config
    return [str(problem) for problem in name_problems(config)]


@pytest.mark.parametrize(
    ("options", "other", "kinds", "key"),
    [
        ({"minOnDemand": 1}, "chat-on-demand", "its Deployment would", "minOnDemand"),
        (
            {"expose": {"inferencePool": True}},
            "chat-picker",
            "its Deployment and its ServiceAccount and its Service would",
            "expose.inferencePool",
        ),
        ({"apiKey": MANAGER}, "chat-api-key-reader", "its ServiceAccount would", "apiKey.secretManager"),
    ],
)
def test_a_workload_cannot_have_the_name_of_an_object_that_an_option_makes(
    options: dict[str, Any], other: str, kinds: str, key: str
) -> None:
    (said,) = problems({"chat": factories.workload(**options), other: factories.workload()})
    assert said.startswith(f"workloads.{other}: {kinds} be {other!r}, the name of one that {key} of workload 'chat'")
    assert problems({"chat": factories.workload(**options), "small": factories.workload()}) == []
    assert problems({"chat": factories.workload(), other: factories.workload()}) == []


def test_the_reader_of_the_token_has_its_name_too() -> None:
    (said,) = problems({"hf-secret-reader": factories.workload()}, huggingFace=MANAGER)
    assert "huggingFace.secretManager" in said
    assert problems({"hf-secret-reader": factories.workload()}) == []


def test_names_that_others_are_deployed_under_count() -> None:
    kept = factories.workload(minOnDemand=1, renamedFrom="old")
    (said,) = problems({"new": kept, "x": factories.workload(renamedFrom="old-on-demand")})
    assert said.startswith("workloads.x.renamedFrom: its Deployment")


def test_a_service_by_its_own_name_is_told_at_that_key() -> None:
    picked = factories.workload(expose={"inferencePool": True})
    (said,) = problems({"chat": picked, "x": factories.workload(service={"name": "chat-picker"})})
    assert said.startswith("workloads.x.service.name: its Service would be 'chat-picker'")


def test_a_workload_that_is_renamed_from_its_own_name_is_told() -> None:
    (said,) = problems({"a": factories.workload(renamedFrom="a")})
    assert said.startswith("workloads.a.renamedFrom: it is the workload's own name 'a'")
    assert "remove renamedFrom" in said
