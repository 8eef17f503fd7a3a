"""What a plan says of its placement: pods that may block each other, and GPUs that nobody can use."""

from pathlib import Path
from typing import Any

import pytest

from l4serve.config.stack_file import read_stack_file
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.values.note import LEVELS, Note, note_kind, note_kinds
from tests import factories
from tests.each_case import each
from tests.stack_cases import ROOT


def planned(workloads: dict[str, Any], nodes: int) -> StackPlan:
    pool = {"machineType": "g2-standard-24", "maxNodes": nodes, "diskSizeGb": 300}
    return factories.planned(factories.serving(workloads, cluster=factories.STANDARD, pools={"l4": pool}))


def workload(gpus: int, memory: str, replicas: int = 1) -> dict[str, Any]:
    requests = {"cpu": "4", "memory": memory, "ephemeralStorage": "50Gi"}
    return factories.workload(
        "Qwen/Qwen2.5-7B-Instruct", nodePool="l4", gpus=gpus, replicas=replicas, resources={"requests": requests}
    )


def of_pool(plan: StackPlan) -> list[str]:
    return [note.text for note in plan.notes if note.path == "nodePools.l4"]


def test_small_pods_that_could_block_a_large_one_are_told() -> None:
    workloads = {"small": workload(1, "20Gi", replicas=2), "large": workload(2, "40Gi")}
    (note,) = of_pool(planned(workloads, nodes=2))
    assert "Pending" in note
    assert of_pool(planned(workloads, nodes=3)) == []


def test_gpus_that_nobody_can_use_are_told() -> None:
    (note,) = of_pool(planned({"greedy": workload(1, "60Gi")}, nodes=1))
    assert note.startswith("1 of its GPUs")


def test_the_json_plan_holds_placement_and_cost() -> None:
    document = stack_json(planned({"a": workload(1, "20Gi")}, nodes=2))
    assert document["placement"]["l4"]["nodes"] == [{"a": 1}]
    assert document["cost"]["usdPerHourAtMost"] > document["cost"]["usdPerHourAtLeast"] > 0
    assert document["cost"]["unknown"] == []


EVERY_STACK = [*sorted(ROOT.glob("Pulumi.*.yaml")), *sorted((ROOT / "tests/data/stacks").glob("*.yaml"))]


@each(EVERY_STACK, lambda file: file.name)
def test_each_note_has_a_level_and_an_id_of_the_reference(file: Path) -> None:
    for note in plan_stack(read_stack_file(file)).notes:
        assert note.level in LEVELS
        assert note.id != "other", note.text


SELDOM = {
    "model-unseen": factories.workload(
        "CohereForAI/aya-23-8B", engine={"kind": "tgi", "version": None, "maxModelLen": None}, fit="warn"
    ),
    "offload-ignored": factories.workload(
        engine={"cpuOffloadGb": 1, "maxModelLen": 2048}, extraEnv={"VLLM_USE_V2_MODEL_RUNNER": "1"}
    ),
    "pictures-uncounted": factories.workload(
        "Qwen/Qwen2.5-VL-3B-Instruct",
        engine={"gpuMemoryUtilization": 0.98, "maxModelLen": 32768},
        extraArgs=["--skip-mm-profiling"],
        fit="warn",
    ),
}


@pytest.mark.parametrize("kind", SELDOM)
def test_a_note_of_one_model_or_release_has_a_kind_too(kind: str) -> None:
    plan = factories.planned(factories.serving({"chat": SELDOM[kind]}))
    assert kind in {note.id for note in plan.notes}


def test_a_model_short_by_less_than_the_uncertainty_may_fail() -> None:
    engine = {"maxModelLen": 8192, "gpuMemoryUtilization": 0.99}
    tight = factories.workload(engine=engine, model="Qwen/Qwen2.5-7B-Instruct")
    (note,) = [n for n in factories.planned(factories.serving({"chat": tight})).notes if "uncertainty" in n.text]
    assert (note.id, note.level) == ("memory-uncertain", "may fail")


def test_a_rule_gives_its_severity_and_id() -> None:
    assert (Note("a", "slow [vllm-awq-slow-kernel]", "warning").level, Note("a", "x [y-z]", "advice").id) == (
        "may fail",
        "y-z",
    )


def test_each_kind_is_told_by_its_own_words() -> None:
    kinds = note_kinds()
    assert len({kind.id for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert note_kind(kind.says) == kind
        assert kind.answer


def test_a_stack_without_a_project_is_told_so() -> None:
    plan = plan_stack(factories.loaded(factories.serving(cluster=factories.STANDARD), project=None))
    assert any(note.id == "project-missing" and note.level == "will fail" for note in plan.notes)


@pytest.mark.parametrize(
    ("model", "meant"),
    [
        ("Qwen/Qwen2.5-1.6B-Instruct", "did you mean Qwen/Qwen2.5-1.5B-Instruct?"),
        ("my-org/other-model", "set model.config"),
    ],
)
def test_an_unknown_model_gets_the_known_one_that_is_spelt_like_it(model: str, meant: str) -> None:
    config = factories.serving(
        {"qwen": factories.workload(model, nodePool="l4")}, cluster=factories.STANDARD, pools={"l4": POOL}
    )
    (note,) = [note for note in factories.planned(config).notes if note.id == "memory-not-judged"]
    assert meant in note.text
    assert ("did you mean" in note.text) == ("did you mean" in meant)


POOL = {"machineType": "g2-standard-8", "maxNodes": 1}
