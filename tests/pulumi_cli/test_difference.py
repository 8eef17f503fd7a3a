"""`l4serve diff` held against the engine: what its preview would do to each workload is how the difference lands.

One stack whose workloads have one edit each, besides one that comes, one that goes and two that are renamed.
"""

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from l4serve.config.data_file import load_data
from l4serve.planning.difference import rows as rows_module
from l4serve.planning.difference.differ import diff_plans
from l4serve.planning.difference.stack_diff import StackDiff, WorkloadPart
from l4serve.planning.stack.preview_lines import preview_lines
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.sandbox.planned_nodes import planned_nodes
from tests.factories import EXISTING, planned, serving, workload
from tests.planning.difference.scenarios import DROP, with_values
from tests.pulumi_cli.conftest import ControlPlane, end_space, engine_on, nodes_of, without_checkpoints
from tests.pulumi_cli.engine import Step

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]

STEPS = load_data(rows_module.__file__, "engine_steps.yaml")


class Edit(NamedTuple):
    """What becomes of one workload: values below it, and how the engine is expected to put it."""

    values: Mapping[str, Any]
    lands: str | None
    given: Mapping[str, Any] = {}


EDITS: Mapping[str, Edit] = {
    "same": Edit({}, "nothing"),
    "planning": Edit({"fit": "warn"}, "nothing"),
    "scaled": Edit({"replicas": 2}, "in place"),
    "balanced": Edit({"service.type": "NodePort"}, "in place"),
    "allowed": Edit({"allow": [{"rule": "vllm-eager", "reason": "tried"}]}, "in place"),
    "context": Edit({"engine.maxModelLen": 2048}, "pod restart"),
    "version": Edit({"engine.version": "0.25.1"}, "pod restart"),
    "environment": Edit({"extraEnv": {"A": "2"}}, "pod restart", {"extraEnv": {"A": "1"}}),
    "labelled": Edit({"labels": {"team": "ml"}}, "pod restart"),
    "requests": Edit({"resources.requests.memory": "18Gi"}, "pod restart"),
    "port": Edit({"service.port": 8001}, "pod restart"),
    "addressed": Edit({"service.name": "other-address"}, "workload replaced"),
    "older": Edit({"renamedFrom": "oldest"}, "workload replaced"),
}
GOES, COMES = "goes", "comes"
KEPT = ("before-the-name", "after-the-name")


def stacks() -> tuple[dict[str, Any], dict[str, Any]]:
    """The serving objects before and after all edits at once."""
    names = (*EDITS, GOES, KEPT[0])
    base = serving(
        {name: workload(nodePool="l4") for name in names},
        cluster=EXISTING,
        pools={"l4": {"machineType": "g2-standard-8", "maxNodes": len(names) + 6}},
        namespace="llm-difference",
    )
    given = {f"workloads.{name}.{key}": value for name, edit in EDITS.items() for key, value in edit.given.items()}
    before = with_values(base, given)
    changed = {f"workloads.{name}.{key}": value for name, edit in EDITS.items() for key, value in edit.values.items()}
    renamed = {**copy.deepcopy(before["workloads"][KEPT[0]]), "renamedFrom": KEPT[0]}
    moved = {f"workloads.{GOES}": DROP, f"workloads.{KEPT[0]}": DROP, f"workloads.{KEPT[1]}": renamed}
    return before, with_values(before, {**changed, **moved, f"workloads.{COMES}": workload(nodePool="l4")})


class Shown(NamedTuple):
    """The difference, and the steps that the engine's preview showed for each workload's resources."""

    plan: StackPlan
    diff: StackDiff
    steps: Mapping[str, tuple[Step, ...]]
    output: str
    """All that the preview printed."""


@pytest.fixture(scope="module")
def shown(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    before, after = stacks()
    plans = planned(before, project=None, name="difference"), planned(after, project=None, name="difference")
    with nodes_of(control_plane, planned_nodes(plans[0])):
        engine = engine_on(control_plane, tmp_path_factory.mktemp("difference"), "difference")
        without_checkpoints(engine)
        engine.configure(before)
        try:
            engine.up()
            engine.configure(after)
            previewed = engine.preview()
        finally:
            end_space(control_plane, "llm-difference")
    steps = by_workload(previewed.steps, plans)
    return Shown(plans[1], diff_plans("difference", *plans), steps, previewed.output)


def by_workload(steps: tuple[Step, ...], plans: tuple[StackPlan, StackPlan]) -> dict[str, tuple[Step, ...]]:
    """The steps by the workload that a resource's name begins with; a component counts for nothing."""
    workloads = [each for plan in plans for each in plan.workloads]
    owners = {name: each.name for each in workloads for name in (each.service.name, each.object_name)}
    found: dict[str, list[Step]] = {}
    for step in steps:
        stem = max((name for name in owners if step.own_name.startswith(f"{name}-")), key=len, default=None)
        if stem is not None and step.kind not in ("InferenceService", "WorkloadMonitoring"):
            found.setdefault(owners[stem], []).append(step)
    return {name: tuple(each) for name, each in found.items()}


def verdict(steps: tuple[Step, ...]) -> str:
    """The engine's steps on the resources of one workload, in the words of a landing."""
    ops = {step.op for step in steps}
    if not steps:
        return "nothing"
    main = [step for step in steps if step.kind in ("Deployment", "Service")]
    if any(step.op in STEPS["workload replaced"]["steps"] for step in main):
        alone = {frozenset({"create"}): "added", frozenset({"delete"}): "removed"}
        return alone.get(frozenset(ops), "workload replaced")
    restarts = any(step.kind == "Deployment" and any("spec.template" in f for f in step.fields) for step in main)
    return "pod restart" if restarts else "in place"


def part(shown: Shown, name: str) -> WorkloadPart:
    return next(each for each in shown.diff.workloads if each.name == name)


def test_there_are_a_dozen_edits() -> None:
    assert len(EDITS) >= 12
    assert {edit.lands for edit in EDITS.values()} == {"nothing", "in place", "pod restart", "workload replaced"}


@pytest.mark.parametrize("name", EDITS)
def test_the_engine_does_what_the_difference_says(name: str, shown: Shown) -> None:
    lands = part(shown, name).lands
    assert lands is not None
    assert lands.text == EDITS[name].lands
    steps = shown.steps.get(name, ())
    assert verdict(steps) == lands.text, steps
    assert {step.op for step in steps} <= set(STEPS[lands.text]["steps"]) | set(STEPS["in place"]["steps"]), steps


@pytest.mark.parametrize(("name", "change"), [(GOES, "removed"), (COMES, "added")])
def test_what_comes_and_goes_is_created_and_deleted(name: str, change: str, shown: Shown) -> None:
    assert (part(shown, name).change, part(shown, name).lands) == (change, None)
    assert verdict(shown.steps[name]) == change
    assert {step.op for step in shown.steps[name]} == set(STEPS[change]["steps"])


def test_a_rename_that_keeps_the_objects_is_no_step(shown: Shown) -> None:
    assert part(shown, KEPT[1]).change == "same"
    assert KEPT[1] not in shown.steps


def test_the_preview_tells_each_workload_once(shown: Shown) -> None:
    for line in preview_lines(shown.plan):
        assert shown.output.count(line) == 1, line
