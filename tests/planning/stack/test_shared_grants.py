"""A role that two workloads grant one account goes with the first of them: the plan tells of it."""

from typing import Any

import pytest

from tests import factories

READER = {"buckets": {"models": "read"}}


def loading(uri: str = "gs://models/qwen", **fields: Any) -> dict[str, Any]:
    given = factories.workload(nodePool="l4", **{"serviceAccount": {"name": "shared"}, **fields})
    source = {"kind": "bucket", "uri": uri, "manageAccess": fields.pop("manageAccess", True)}
    return {**given, "model": {**given["model"], "source": source}}


def told(*workloads: dict[str, Any]) -> list[str]:
    pools = {"l4": {"machineType": "g2-standard-12", "maxNodes": 4}}
    named = dict(zip("ab", workloads, strict=False))
    return [
        note.text
        for note in factories.planned(factories.serving(named, pools=pools)).notes
        if note.id == "shared-grant"
    ]


def test_a_role_of_two_workloads_of_one_account_is_told_of() -> None:
    (text,) = told(loading(), loading("gs://models/llama"))
    assert text.startswith(
        "a and b are each granted roles/storage.objectViewer of gs://models as the one account shared"
    )


@pytest.mark.parametrize(
    "other", [loading("gs://others/qwen"), loading(serviceAccount={}), factories.workload(nodePool="l4")]
)
def test_other_buckets_and_other_accounts_share_nothing(other: dict[str, Any]) -> None:
    assert told(loading(), other) == []


def test_a_workload_grants_its_own_account_a_bucket_once() -> None:
    serving = factories.serving(
        {"a": loading(serviceAccount=READER)}, pools={"l4": {"machineType": "g2-standard-12", "maxNodes": 2}}
    )
    (workload,) = factories.planned(serving).workloads
    assert workload.identity.bucket_roles == (("models", "roles/storage.objectViewer"),)
    assert workload.storage.readable == () and workload.storage.role is None
