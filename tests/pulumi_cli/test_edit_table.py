"""The edit table held against the engine: every row that the Kubernetes provider can show, each edited by itself.

Rows of a workload, a compute class or a pool have a workload of their own in one stack, whose preview shows all of them
at once; a row of the whole stack has a preview of its own.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml

from l4serve.planning.stack.edits import Effect, all_edits, effect_of, find_edit
from l4serve.sandbox.planned_nodes import planned_nodes
from tests.factories import EXISTING, planned
from tests.planning.stack.edit_probes import BASE, POOL, PROBES, SOURCES, WORKLOAD
from tests.planning.stack.guard_edits import GUARD_EDITS
from tests.planning.stack.test_edits import _set
from tests.planning.stack.test_every_field import laid_over
from tests.pulumi_cli.conftest import ControlPlane, end_space, engine_on, nodes_of, without_checkpoints
from tests.pulumi_cli.engine import Engine, Step

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]

OWN = (f"{WORKLOAD}.", "computeClasses.", f"{POOL}.machineType", f"{POOL}.diskSizeGb", f"{POOL}.taints")
ROWS = {n: probe for n, probe in enumerate(PROBES) if probe[0].startswith(OWN) and probe not in SOURCES}
NAMES = ("qwen", "l4", "l4s", "spare", "old")
SECRET = {"huggingFace": {"existingSecret": "a"}}
STACK_ROWS: Mapping[str, Any] = {
    "namespace": "models",
    "createNamespace": False,
    "huggingFace.existingSecret": "b",
    "huggingFace.key": "other",
    "monitoring.podMonitoring": True,
    "allowReplace": ["cluster"],
    "networkPolicy.enabled": False,
    "prices": {way: {"g2-standard-8": 1.5} for way in ("onDemand", "spot", "flexStart")},
}
ELSEWHERE = {
    "cluster.name": "looked up by Google's provider",
    "cluster.project": "looked up by Google's provider",
    "cluster.location": "looked up by Google's provider",
    "cluster.nodeServiceAccount": "an input of Google's provider",
    "workloads.*.model.config": "a path that only planning reads, as the rows that it stands beside",
    "workloads.*.model.gated": "brings the token of test_engine.py",
    "huggingFace.tokenRevision": "test_engine.py, with the order of the steps",
    "huggingFace.secretManager.**": "custom resources of a driver that GKE runs",
    "monitoring.dashboard": "an input of Google's provider",
    "monitoring.alerts.**": "inputs of Google's provider",
    "workloads.*.objectives.**": "the thresholds of those alerts",
    "workloads.*.serviceAccount.googleAccount": "a role that Google's provider grants",
    "workloads.*.serviceAccount.buckets": "roles that Google's provider grants",
    "workloads.*.apiKey.config": "a secret of the stack, whose value no table shows",
    "workloads.*.apiKey.revision": "beside a secret of the stack",
    "workloads.*.apiKey.secretManager.**": "custom resources of a driver that GKE runs",
    "workloads.*.model.source.kind": "another source, with its own keys",
    **{
        path.replace(".qwen.", ".*."): "disks, and roles on buckets, that Google's provider makes"
        for path, _, _ in SOURCES
    },
    "workloads.*.autoscaling.metricsFrom": "a custom resource by which GKE reads the pods' metrics",
    "workloads.*.minOnDemand": "places pods on two kinds of nodes, which the sandbox has not",
    "expose.makeProxyOnlySubnet": "a subnet that Google's provider makes",
    "expose.proxyOnlyCidr": "the range of that subnet",
    "expose.reserveAddress": "an address that Google's provider makes",
}
AT_THE_DOOR = [
    edit
    for edit in GUARD_EDITS
    if edit.path.startswith(("expose.", "networkPolicy.")) and edit.path not in (*ELSEWHERE, *STACK_ROWS)
]
OF_ITS_ROUTE = [edit for edit in GUARD_EDITS if edit.path.startswith("workloads.*.expose.")]
"""Each has a workload of its own; those of the stack are edited at once, as all of them land in place."""
OPEN = {
    "expose": {"to": "internet", "certificate": {"certificateManager": "one"}},
    "networkPolicy": {"from": [], "to": []},
}
REPLACING = {"replace", "create-replacement", "delete-replaced", "create", "delete"}


def own_stack(number: int, *, edited: bool) -> dict[str, Any]:
    """The stack of one row, before or after its edit, with names that no other row has; pods only where one must be."""
    path, value, before = ROWS[number]
    config = copy.deepcopy(BASE) | {"cluster": dict(EXISTING)}
    for key, setting in copy.deepcopy(dict(before)).items():
        _set(config, key, setting)
    if "autoscaling" not in config["workloads"]["qwen"]:
        config["workloads"]["qwen"]["replicas"] = 0
    if edited:
        _set(config, path, value)
    named: dict[str, Any] = json.loads(re.sub(rf'"({"|".join(NAMES)})"', rf'"\g<1>-{number}"', json.dumps(config)))
    return named


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two stacks with each other's pools, classes and workloads."""
    maps = ("nodePools", "computeClasses", "workloads")
    return {**one, **other, **{key: {**one.get(key, {}), **other.get(key, {})} for key in maps}}


def all_rows(*, edited: bool) -> dict[str, Any]:
    """One stack with every row's own."""
    return reduce(merged, (own_stack(number, edited=edited) for number in ROWS)) | {"namespace": "llm-edits"}


def effect(steps: list[Step]) -> Effect:
    """The hardest effect of the steps on the resources of one row."""
    return max(map(_effect, steps), default=Effect.NOTHING)


def _effect(step: Step) -> Effect:
    if step.op in REPLACING and step.kind in ("Deployment", "Service"):
        return Effect.WORKLOAD_REPLACED
    restarts = step.kind == "Deployment" and any(field.startswith("spec.template") for field in step.fields)
    return Effect.POD_RESTART if restarts else Effect.IN_PLACE


def test_every_row_that_the_kubernetes_provider_can_show_is_shown() -> None:
    shown = {find_edit(path) for path, _, _ in ROWS.values()}
    shown |= {find_edit(path) for path in (*STACK_ROWS, "cluster.kubeconfig", "cluster.context")}
    shown |= {find_edit(f"prices.{way}") for way in STACK_ROWS["prices"]}
    visible = [
        edit
        for edit in all_edits()
        if not edit.path.startswith(("cluster.", "nodePools."))
        or edit.existing is not None
        or any(field.startswith("kubernetes_") for field in edit.fields)
    ]
    shown |= {find_edit(edit.path) for edit in (*AT_THE_DOOR, *OF_ITS_ROUTE)}
    missing = {edit.path for edit in visible if edit not in shown} - set(ELSEWHERE)
    assert missing == set(), "add a probe for each to edit_probes.py, or say here why the engine cannot show it"


def previewed(
    control_plane: ControlPlane, folder: Path, name: str, config: Callable[..., dict[str, Any]]
) -> Sequence[Step]:
    """The steps of the preview of a stack's edits, which is up as it was before them."""
    engine = engine_on(control_plane, folder, name)
    without_checkpoints(engine)
    engine.configure(config(edited=False))
    try:
        engine.up()
        engine.configure(config(edited=True))
        return engine.preview().steps
    finally:
        end_space(control_plane, f"llm-{name}")


@pytest.fixture(scope="module")
def shown(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, list[Step]]:
    """The steps of the preview of all rows' own edits, by row."""
    scaled = reduce(merged, (own_stack(n, edited=False) for n, row in ROWS.items() if "autoscaling" in row[0]))
    with nodes_of(control_plane, planned_nodes(planned(scaled, project=None))):
        steps = previewed(control_plane, tmp_path_factory.mktemp("edits"), "edits", all_rows)
    by_row: dict[int, list[Step]] = {number: [] for number in ROWS}
    for step in steps:
        if found := re.match(rf"(?:{'|'.join(NAMES)})-(\d+)(?:-|$)", step.own_name):
            by_row[int(found[1])].append(step)
    return by_row


@pytest.mark.parametrize("number", ROWS, ids=[path for path, _, _ in ROWS.values()])
def test_the_engine_does_what_the_table_says(number: int, shown: Mapping[int, list[Step]]) -> None:
    assert effect(shown[number]) is effect_of(ROWS[number][0], existing_cluster=True), shown[number]


@pytest.fixture(scope="module")
def standing(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A stack that is up without pods, by a kubeconfig with a second context for the same cluster."""
    folder = tmp_path_factory.mktemp("whole")
    known = yaml.safe_load(control_plane.state.kubeconfig.read_text("utf-8"))
    known["contexts"].append({**known["contexts"][0], "name": "second"})
    for name in ("kubeconfig", "copy"):
        (folder / name).write_text(yaml.safe_dump(known), encoding="utf-8")
    (folder / "stack").mkdir()
    engine = engine_on(control_plane, folder / "stack", "whole")
    engine.configure(whole(folder))
    try:
        engine.up()
        yield engine
    finally:
        end_space(control_plane, "llm-whole")


def whole(folder: Path) -> dict[str, Any]:
    config = copy.deepcopy(BASE) | copy.deepcopy(SECRET) | {"namespace": "llm-whole"}
    config["workloads"]["qwen"]["replicas"] = 0
    return config | {"cluster": {**EXISTING, "kubeconfig": str(folder / "kubeconfig")}}


@pytest.mark.parametrize("path", [*STACK_ROWS, "cluster.kubeconfig", "cluster.context"])
def test_the_engine_does_to_the_whole_stack_what_the_table_says(path: str, standing: Engine) -> None:
    folder = standing.folder.parent
    config = whole(folder)
    values = {**STACK_ROWS, "cluster.kubeconfig": str(folder / "copy"), "cluster.context": "second"}
    _set(config, path, values[path])
    standing.configure(config)
    steps = [step for step in standing.preview().steps if step.kind not in ("Stack", "kubernetes")]
    assert effect(steps) is (effect_of(path, existing_cluster=True) or Effect.NOTHING), steps


def exposed(*, edited: bool) -> dict[str, Any]:
    """A stack behind a gateway with a workload for each field of a route, and none of their pods."""
    config = copy.deepcopy(BASE) | copy.deepcopy(OPEN) | {"cluster": dict(EXISTING), "namespace": "llm-exposed"}
    one = {**config["workloads"]["qwen"], "replicas": 0}
    config["workloads"] = {
        # One that is taken off the gateway has no path to lose.
        f"w{n}": one if edit.path.endswith(".enabled") else {**one, "expose": {"path": f"/w{n}"}}
        for n, edit in enumerate(OF_ITS_ROUTE)
    }
    if edited:
        for n, edit in enumerate(OF_ITS_ROUTE):
            config = laid_over(config, {path.replace("qwen", f"w{n}"): value for path, value in edit.change.items()})
        for edit in AT_THE_DOOR:
            config = laid_over(config, edit.change)
    return config


def test_a_door_and_its_routes_and_policies_change_in_place(control_plane: ControlPlane, tmp_path: Path) -> None:
    steps = previewed(control_plane, tmp_path, "exposed", exposed)
    assert {effect_of(edit.path, existing_cluster=True) for edit in (*AT_THE_DOOR, *OF_ITS_ROUTE)} == {Effect.IN_PLACE}
    assert effect([step for step in steps if "-picker-" not in step.name]) is Effect.IN_PLACE, steps
    own = {n: {step.kind for step in steps if step.own_name.startswith(f"w{n}-")} for n, _ in enumerate(OF_ITS_ROUTE)}
    assert all(kinds - {"NetworkPolicy"} for kinds in own.values()), own
    assert {"Gateway", "NetworkPolicy"} <= {step.kind for step in steps}
