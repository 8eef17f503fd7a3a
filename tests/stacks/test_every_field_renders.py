"""Every field of the config changes what the program makes, or the table says what else it is for."""

import copy
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from l4serve.cli.commands.render_command import Rendered, render_stack
from l4serve.cli.recording import Registration
from scripts import engine_samples
from tests import factories
from tests.planning.difference.scenarios import difference
from tests.planning.difference.truth import assert_true
from tests.planning.stack.edit_probes import PROBES
from tests.planning.stack.field_edits import BASES, EDITS, SAME_PLAN
from tests.planning.stack.test_every_field import laid_over
from tests.stacks.fields_of_the_plan import ONLY_PLANNED
from tests.stacks.registered import named_anew, rendered

pytestmark = pytest.mark.slow


@cache
def _rendered(serving: str, has_token: bool) -> tuple[Rendered, tuple[Registration, ...]]:
    return rendered(factories.loaded(json.loads(serving), has_token=has_token, name="made"))


def as_text(found: Rendered) -> str:
    """All objects and cloud resources."""
    return json.dumps([found.objects, found.cloud], sort_keys=True, default=str)


PROBED = {re.sub(r"\.(qwen|l4|l4s)\b", ".*", re.sub(r"\[\d+\]", "[]", path)) for path, _, _ in PROBES}
ROOMS = ("workloads.", "computeClasses.", "huggingFace.", "networkPolicy.", "expose.")


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.path)
def test_a_field_changes_the_rendering(edit: Any) -> None:
    """And the difference of both sides is true of it, where no probe of `test_truth.py` edits the same field."""
    base = laid_over(copy.deepcopy(BASES[edit.base]), edit.given)
    edited = laid_over(base, edit.change)
    (before, _), (after, _) = (_rendered(json.dumps(side), edit.has_token) for side in (base, edited))
    if edit.path in ONLY_PLANNED:
        told = f"it changes the rendering, so it is none of ONLY_PLANNED: {ONLY_PLANNED[edit.path]}"
        assert (as_text(before), before.outputs) == (as_text(after), after.outputs), told
    else:
        assert as_text(before) != as_text(after), "it changes nothing that the program makes"
    if edit.path not in PROBED and edit.path.startswith(ROOMS):
        assert_true(difference(base, edited), before, after)


A_NEW_CLUSTER = {"cluster.name", "cluster.location", "cluster.project"}
"""`allowReplace` asks whether all goes with the old one: an update that fails has to be finished."""


@pytest.mark.parametrize("edit", [e for e in EDITS if e.path not in A_NEW_CLUSTER], ids=lambda e: e.path)
def test_what_an_edit_calls_by_another_name_is_another_resource(edit: Any) -> None:
    """As one resource, the old thing waits for its deletion; the update back finds it, keeps it and deletes it."""
    base = laid_over(copy.deepcopy(BASES[edit.base]), edit.given)
    (_, before), (_, after) = (
        _rendered(json.dumps(side), edit.has_token) for side in (base, laid_over(base, edit.change))
    )
    assert list(named_anew(before, after)) == []


GOOGLE_ACCOUNT = {"googleAccount": "llm-pods@my-project.iam.gserviceaccount.com"}
SOURCE = {"model.source": {"kind": "bucket", "uri": "gs://models/q"}}


@pytest.mark.parametrize("account", [{}, GOOGLE_ACCOUNT], ids=["own", "google"])
@pytest.mark.parametrize("edit", ["moved", "renamed", "one of two dropped"])
def test_an_edit_leaves_the_roles_of_buckets_with_who_stays(edit: str, account: Any) -> None:
    """Google Cloud keeps a role of an account once: made twice and taken away once, it would be gone."""
    (qwen,) = BASES["standard"]["workloads"].values()
    granted = laid_over(copy.deepcopy(qwen), {**SOURCE, "serviceAccount": {"buckets": {"logs": "write"}, **account}})
    sides = {
        "moved": ({"a": granted}, {"a": granted}),
        "renamed": ({"a": granted}, {"b": granted}),
        "one of two dropped": ({"a": granted, "b": granted}, {"b": granted}),
    }[edit]
    base, edited = ({**copy.deepcopy(BASES["standard"]), "workloads": workloads} for workloads in sides)
    if edit == "moved":
        edited["namespace"] = "moved"
    (_, before), (_, after) = (_rendered(json.dumps(side), False) for side in (base, edited))
    assert list(named_anew(before, after)) == []
    kept, gone = ({each.urn for each in side if each.type.endswith(":BucketIAMMember")} for side in (after, before))
    assert len(kept) == 2
    assert kept <= gone or not account, "a Google account keeps what it had"


@pytest.mark.parametrize("field", ["huggingFace", "workloads.qwen.apiKey"])
def test_a_secret_of_another_project_is_another_grant(field: str) -> None:
    sides = (
        laid_over(
            copy.deepcopy(BASES["standard"]),
            {"cluster.secretManager": True, field: {"secretManager": {"secret": f"projects/{project}/secrets/s"}}},
        )
        for project in ("my-project", "shared-project")
    )
    (_, before), (_, after) = (_rendered(json.dumps(side), False) for side in sides)
    assert any(each.type.endswith(":SecretIamMember") for each in before)
    assert list(named_anew(before, after)) == []


SAMPLED = [("vllm", field) for field in engine_samples.VLLM] + [("tgi", field) for field in engine_samples.TGI]
VALUES = {
    **{"tensorParallelSize": 1, "pipelineParallelSize": 2, "numShard": 1, "quantization": "fp8", "quantize": "eetq"},
    "maxBatchPrefillTokens": 8192,
}
"""In place of a field's first sample: sizes that the two cards hold, and values that this model takes."""
GIVEN: dict[str, dict[str, Any]] = {
    "enableAutoToolChoice": {"toolCallParser": "hermes"},
    "task": {"version": "0.8.0"},
    "swapSpace": {"version": "0.16.0"},
}
"""What a field goes with."""


def served(kind: str, **engine: Any) -> dict[str, Any]:
    """A workload on two cards, with these settings of its engine."""
    newest = {"version": factories.ENGINE["version"], "maxModelLen": 2048} if kind == "vllm" else {"version": "3.3.7"}
    return factories.workload(engine={"maxModelLen": None, "kind": kind, **newest, **engine}, gpus=2)


@cache
def deployments() -> Mapping[tuple[str, str, bool], str]:
    """By engine, field and whether it is set: what a Deployment tells its engine, all of one stack and of one name."""
    workloads: dict[str, Any] = {}
    names: dict[str, tuple[str, str, bool]] = {}
    for kind, field in SAMPLED:
        samples = engine_samples.VLLM if kind == "vllm" else engine_samples.TGI
        given = GIVEN.get(field, {})
        edited = served(kind, **given, **{field: VALUES.get(field, samples[field][0])})
        if field in ("tensorParallelSize", "numShard"):
            del edited["gpus"]
        for is_set, workload in ((True, edited), (False, served(kind, **given))):
            name = f"w{len(workloads)}"
            workloads[name], names[name] = workload, (kind, field, is_set)
    pools = {"l4": {"machineType": "g2-standard-24", "maxNodes": len(workloads)}}
    found = render_stack(factories.loaded(factories.serving(workloads, pools=pools)))
    made = {each["metadata"]["name"]: _told(each) for each in found.objects if each["kind"] == "Deployment"}
    return {key: re.sub(rf"\b{name}\b", "w", json.dumps(made[name], sort_keys=True)) for name, key in names.items()}


def _told(deployment: Mapping[str, Any]) -> Any:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container["args"], container.get("env")


@pytest.mark.parametrize(("kind", "field"), SAMPLED)
def test_an_engine_field_changes_the_rendering(kind: str, field: str) -> None:
    assert deployments()[kind, field, True] != deployments()[kind, field, False]


def test_workloads_that_set_the_same_have_the_same_deployment() -> None:
    """Else each would differ from each, whatever it sets."""
    plain = [text for (kind, field, is_set), text in deployments().items() if kind == "vllm" and not is_set]
    assert len(set(plain)) == 1 + len(GIVEN)


def test_the_table_of_exceptions_names_fields() -> None:
    assert set(ONLY_PLANNED) <= {edit.path for edit in EDITS}
    assert not set(ONLY_PLANNED) & set(SAME_PLAN)
