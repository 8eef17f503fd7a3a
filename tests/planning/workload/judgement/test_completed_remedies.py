"""A rule's remedy leads to a stack that is accepted: it says what the pod and the card want beside it."""

import copy
from pathlib import Path
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.workload.drafting import _unanswered

CLUSTER = {"mode": "standard", "name": "test", "location": "us-central1"}


def workload(machine: str, model: str, version: str, gpus: int | None = None, **engine: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "model": {"id": model, "gated": False},
        "engine": {"kind": "vllm", "version": version, **engine},
    }
    asked |= {"gpus": gpus} if gpus else {}
    return {
        "cluster": CLUSTER,
        "nodePools": {"gpu": {"machineType": machine, "maxNodes": 2}},
        "workloads": {"w": asked},
    }


def remedy(serving: dict[str, Any]) -> str | None:
    """The one remedy of a stack that is refused; None where it is planned."""
    config = {"gcp:project": "my-project", SERVING_KEY: copy.deepcopy(serving)}
    try:
        plan_stack(parse_stack("test", config, base=Path()))
    except ConfigError as error:
        (problem,) = error.problems
        return problem.remedy
    return None


def edited(serving: dict[str, Any], written: str) -> dict[str, Any]:
    """The stack after the first edit that a remedy names."""
    after = copy.deepcopy(serving)
    asked = after["workloads"]["w"]
    for pair in written.split(";")[0].removeprefix("set ").split(" (")[0].split(", "):
        if ": " not in pair:
            break
        key, value = pair.split(": ")
        inner = asked["engine"] if key.startswith("engine.") else asked
        inner[key.removeprefix("engine.")] = float(value) if "." in value else int(value) if value.isdigit() else value
    return after


@pytest.mark.parametrize(
    ("serving", "parts"),
    [
        (
            workload("g2-standard-96", "Qwen/Qwen2-7B", "0.10.0", gpus=8, tensorParallelSize=8, maxModelLen=8192),
            ["engine.tensorParallelSize: 4", "gpus: 4"],
        ),
        (
            workload("g2-standard-12", "meta-llama/Llama-3.1-8B-Instruct", "0.10.0", maxModelLen=131073),
            ["engine.maxModelLen: "],
        ),
        (
            workload(
                "g2-standard-12",
                "meta-llama/Llama-3.2-1B-Instruct",
                "0.24.0",
                enableChunkedPrefill=False,
                maxNumBatchedTokens=8192,
            ),
            ["engine.maxNumBatchedTokens: 131072", "engine.gpuMemoryUtilization: 0.8"],
        ),
    ],
)
def test_the_stack_is_planned_once_the_remedy_is_written(serving: dict[str, Any], parts: list[str]) -> None:
    written = remedy(serving)
    assert written is not None
    assert [part for part in parts if part not in written] == []
    assert remedy(edited(serving, written)) is None


def test_a_remedy_that_is_enough_stays_as_it_is() -> None:
    serving = workload("g2-standard-12", "Qwen/Qwen2.5-7B-Instruct", "0.26.0", maxModelLen=200_000)
    serving["workloads"]["w"]["fit"] = "warn"
    written = remedy(serving)
    assert written is not None
    assert written.startswith("set engine.maxModelLen: 131072;") or written.startswith("set engine.maxModelLen: 32768;")


@pytest.mark.parametrize(("changes", "paths"), [(("gpus",), ["w.engine"]), ((), ["w.engine", "w.gpus"])])
def test_nodes_are_not_asked_for_gpus_that_another_remedy_changes(changes: tuple[str, ...], paths: list[str]) -> None:
    first = Problem("w.engine", "does not fit", "set gpus: 4", frozenset(changes))
    assert [problem.path for problem in _unanswered("w", (first, Problem("w.gpus", "too few nodes")))] == paths
