"""What a danger says of the accounts that pods act as, and of their roles on buckets."""

from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.planning.difference.differ import diff_plans
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories
from tests.planning.difference.scenarios import DROP, P, W, danger_texts, edited

BUCKET = {"kind": "bucket", "uri": "gs://models/qwen"}
OWN = {**BUCKET, "manageAccess": False}
SOURCE, ACCOUNT, BESIDE = f"{W}.model.source", f"{W}.serviceAccount", "workloads.beside"
READS, WRITES = {"buckets": {"models": "read"}}, {"buckets": {"models": "write"}}
ROOM = {f"{P}.maxNodes": 4}


def acts_as(name: str) -> dict[str, str]:
    return {"googleAccount": f"{name}@my-project.iam.gserviceaccount.com"}


def beside(account: Mapping[str, Any], source: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Another workload, on the same pool."""
    given = factories.workload(nodePool="l4", serviceAccount=account)
    return {BESIDE: given if source is None else {**given, "model": {**given["model"], "source": source}}}


@pytest.mark.parametrize(
    ("given", "values", "at"),
    [
        ({SOURCE: BUCKET}, {SOURCE: OWN}, f"{SOURCE}.manageAccess"),
        ({SOURCE: BUCKET}, {SOURCE: {**OWN, "reader": "streamer"}}, f"{SOURCE}.manageAccess"),
        ({ACCOUNT: READS}, {ACCOUNT: {}}, f"{ACCOUNT}.buckets"),
        ({ACCOUNT: WRITES}, {ACCOUNT: READS}, f"{ACCOUNT}.buckets"),
        ({SOURCE: BUCKET, ACCOUNT: WRITES}, {ACCOUNT: {}}, f"{ACCOUNT}.buckets"),
        ({SOURCE: BUCKET}, {SOURCE: OWN, ACCOUNT: acts_as("llm-pods")}, f"{SOURCE}.manageAccess"),
        (
            {SOURCE: OWN, ACCOUNT: acts_as("llm-pods"), **beside(acts_as("llm-pods"), BUCKET)},
            {BESIDE: DROP},
            f"{SOURCE}.manageAccess",
        ),
        (
            {SOURCE: OWN, ACCOUNT: acts_as("llm-pods"), **beside(acts_as("llm-pods"), BUCKET)},
            {ACCOUNT: acts_as("other-pods")},
            f"{SOURCE}.manageAccess",
        ),
        (
            {ACCOUNT: {**acts_as("llm-pods"), **READS}, **beside({**acts_as("llm-pods"), **READS})},
            {ACCOUNT: acts_as("other-pods")},
            f"{ACCOUNT}.buckets",
        ),
    ],
)
def test_a_role_on_a_bucket_that_pods_lose_is_a_danger(given: dict[str, Any], values: dict[str, Any], at: str) -> None:
    (lost,) = [each for each in edited(values, {**ROOM, **given}).dangers if each.kind == "access lost"]
    assert lost.path == at
    assert "on bucket models from the pods of qwen" in lost.text and "after the update" in lost.text


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({SOURCE: BUCKET}, {SOURCE: {**BUCKET, "cache": "none"}}),
        ({SOURCE: BUCKET}, {SOURCE: {**BUCKET, "uri": "gs://other/qwen"}}),
        ({SOURCE: BUCKET}, {SOURCE: OWN, ACCOUNT: READS}),
        ({ACCOUNT: READS}, {ACCOUNT: WRITES}),
        ({ACCOUNT: READS}, {ACCOUNT: {**READS, **acts_as("llm-pods")}}),
        ({}, {SOURCE: OWN}),
        (
            {SOURCE: BUCKET, ACCOUNT: acts_as("llm-pods"), **beside({**acts_as("llm-pods"), **READS})},
            {SOURCE: OWN},
        ),
        (
            {ACCOUNT: {**acts_as("llm-pods"), **READS}, **beside({**acts_as("llm-pods"), **WRITES})},
            {ACCOUNT: acts_as("llm-pods")},
        ),
    ],
)
def test_a_role_that_the_account_keeps_is_none(given: dict[str, Any], values: dict[str, Any]) -> None:
    assert danger_texts(edited(values, {**ROOM, **given}), "access lost") == []


OWN_NAME, OLD, NEW = "llm-serving/qwen", *(f"{n}@my-project.iam.gserviceaccount.com" for n in ("llm-old", "llm-new"))


@pytest.mark.parametrize(
    ("given", "values", "lost", "gained"),
    [
        ({}, {ACCOUNT: acts_as("llm-new")}, OWN_NAME, NEW),
        ({ACCOUNT: acts_as("llm-old")}, {ACCOUNT: acts_as("llm-new")}, OLD, NEW),
        ({ACCOUNT: acts_as("llm-old")}, {ACCOUNT: {}}, OLD, OWN_NAME),
    ],
)
def test_pods_that_run_on_act_as_another_account_when_their_token_ends(
    given: dict[str, Any], values: dict[str, Any], lost: str, gained: str
) -> None:
    diff = edited(values, {**ROOM, **given})
    (told,) = danger_texts(diff, "identity changed")
    assert f"no pod of qwen restarts, and each acts as {gained} once its token of {lost} ends" in told
    assert f"grant {gained} before the update what {lost} may do" in told and "on bucket" not in told
    assert diff.workloads[0].interruption.why == "no pod restarts"


def test_pods_that_restart_have_the_other_account_from_their_start() -> None:
    values = {ACCOUNT: acts_as("llm-new"), f"{W}.engine.maxModelLen": 4096}
    (told,) = danger_texts(edited(values, ROOM), "identity changed")
    assert told.startswith(f"the new pods of qwen act as {NEW}: grant {NEW} before the update what {OWN_NAME}")


def test_another_account_of_kubernetes_is_another_principal() -> None:
    diff = edited({ACCOUNT: {"name": "two"}}, {**ROOM, ACCOUNT: {"name": "one"}})
    (told,) = [each for each in diff.dangers if each.kind == "identity changed"]
    assert told.path == f"{ACCOUNT}.name"
    assert told.text.startswith("the new pods of qwen act as llm-serving/two: grant llm-serving/two before the update")
    given = {**ROOM, ACCOUNT: {**READS, "name": "one"}}
    (over,) = danger_texts(edited({ACCOUNT: {**READS, "name": "two"}}, given), "identity changed")
    assert "on bucket models first and takes it from llm-serving/one last" in over
    same = {ACCOUNT: {"name": "qwen"}}
    assert not danger_texts(edited(same, ROOM), "identity changed"), "the stack's own had that name"


def test_without_a_project_no_account_of_kubernetes_is_a_principal() -> None:
    for project, dangers in ((factories.PROJECT, 1), (None, 0)):
        sides = [
            factories.loaded(
                factories.serving({"a": factories.workload(serviceAccount={"name": name})}, cluster=factories.EXISTING),
                project=project,
            )
            for name in ("one", "two")
        ]
        old, new = map(plan_stack, sides)
        diff = diff_plans("made", old, new, (sides[0].config, sides[1].config))
        assert len(danger_texts(diff, "identity changed")) == dangers


def test_of_pods_that_do_not_run_none_restarts() -> None:
    for given, values, when in (
        ({f"{W}.replicas": 0}, {}, "no pod of qwen runs, and its next ones act as"),
        ({}, {f"{W}.replicas": 0}, "no pod of qwen runs, and its next ones act as"),
        ({f"{W}.replicas": 0}, {f"{W}.replicas": 1}, "the new pods of qwen act as"),
    ):
        (told,) = danger_texts(edited({ACCOUNT: acts_as("llm-new"), **values}, {**ROOM, **given}), "identity changed")
        assert told.startswith(f"{when} {NEW}: grant {NEW} before the update")


def test_roles_on_buckets_that_go_over_with_the_account_are_told_in_their_order() -> None:
    diff = edited({ACCOUNT: {**READS, **acts_as("llm-new")}}, {**ROOM, ACCOUNT: READS})
    (told,) = danger_texts(diff, "identity changed")
    order = f"grants roles/storage.objectViewer on bucket models first and takes it from {OWN_NAME} last"
    assert order in told and "whose tokens are refused from then on" in told
    shared = edited({ACCOUNT: acts_as("llm-new")}, {**ROOM, ACCOUNT: acts_as("llm-old"), **beside(acts_as("llm-old"))})
    assert "on bucket" not in danger_texts(shared, "identity changed")[0]


def test_an_account_that_stays_is_no_danger() -> None:
    assert (
        danger_texts(
            edited({ACCOUNT: {**READS, **acts_as("llm-old")}}, {**ROOM, ACCOUNT: acts_as("llm-old")}),
            "identity changed",
        )
        == []
    )
