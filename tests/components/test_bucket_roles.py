"""Roles of buckets: who gets which, once for all workloads of one account."""

from collections.abc import Sequence
from typing import Any

import pytest

from components.bucket_roles import BucketRoles, BucketRolesArgs
from l4serve.planning.stack.bucket_grants import BucketGrant, bucket_grants
from tests import factories
from tests.components.recorder import Recorded, record

GOOGLE = "llm-pods@my-project.iam.gserviceaccount.com"
ACTS = {"googleAccount": GOOGLE, "buckets": {"models": "read"}}
PODS = (
    "principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/"
    "my-project.svc.id.goog/subject/ns/llm-serving/sa/"
)

HELD = {"bucket": "b/models", "role": "roles/storage.objectViewer", "member": f"serviceAccount:{GOOGLE}"}
"""As the state keeps it: the provider writes a bucket so."""


def reading(bucket: str = "models", **fields: Any) -> dict[str, Any]:
    """A workload whose weights lie in a bucket."""
    given = factories.workload(nodePool="l4", **fields)
    return {**given, "model": {**given["model"], "source": {"kind": "bucket", "uri": f"gs://{bucket}/qwen"}}}


def granted(**workloads: dict[str, Any]) -> tuple[BucketGrant, ...]:
    pools = {"l4": {"machineType": "g2-standard-12", "maxNodes": 4}}
    serving = factories.serving({name: {"nodePool": "l4", **each} for name, each in workloads.items()}, pools=pools)
    return bucket_grants(factories.planned(serving).workloads)


def made(*grants: BucketGrant, deployed: Sequence[str] = (), preview: bool = False) -> dict[str, Recorded]:
    """The registered grants by name; `deployed` are URNs of what gives the account of Google the models."""
    registered = record(
        lambda: BucketRoles("bucket-roles", BucketRolesArgs(grants=grants, deployed=dict.fromkeys(deployed, HELD))),
        preview=preview,
        invoked=lambda *_: {"number": "42", "projectId": "p"},
    )
    return {each.name: each for each in registered if each.custom}


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_a_bucket_is_granted_to_the_pods_own_principal(preview: bool) -> None:
    found = made(
        *granted(qwen=factories.workload(serviceAccount={"buckets": {"models": "read", "caches": "write"}})),
        preview=preview,
    )
    assert {name: (each.inputs["bucket"], each.inputs["role"]) for name, each in found.items()} == {
        "models/storage.objectViewer/llm-serving/qwen": ("models", "roles/storage.objectViewer"),
        "caches/storage.objectUser/llm-serving/qwen": ("caches", "roles/storage.objectUser"),
    }
    assert {each.inputs["member"] for each in found.values()} == {f"{PODS}qwen"}


def test_pods_may_read_the_bucket_of_their_weights() -> None:
    (grant,) = made(*granted(chat=reading())).values()
    assert (grant.inputs["bucket"], grant.inputs["role"]) == ("models", "roles/storage.objectViewer")
    assert grant.inputs["member"] == f"{PODS}chat"


def test_a_google_account_has_the_role_in_place_of_the_pods() -> None:
    (grant,) = made(*granted(qwen=factories.workload(serviceAccount=ACTS))).values()
    assert grant.inputs["member"] == f"serviceAccount:{GOOGLE}"


@pytest.mark.parametrize("account", [{"name": "mine"}, {"googleAccount": GOOGLE}], ids=["of Kubernetes", "of Google"])
def test_workloads_of_one_account_have_a_role_once(account: dict[str, Any]) -> None:
    """Google Cloud keeps it once: as two resources, the workload that goes would take it from the one that stays."""
    both = {"a": reading(serviceAccount=account), "b": reading(serviceAccount=account)}
    (grant,) = granted(**both)
    assert [each.name for each in grant.workloads] == ["a", "b"]
    (alone,) = granted(b=both["b"])
    assert made(grant).keys() == made(alone).keys()
    assert {row.urn for row in made(grant).values()} == {row.urn for row in made(alone).values()}


def test_the_weights_and_the_config_grant_an_account_a_bucket_once() -> None:
    (grant,) = granted(a=reading(serviceAccount={"buckets": {"models": "read"}}))
    assert [each.name for each in grant.workloads] == ["a"]


@pytest.mark.parametrize("other", [reading("others", serviceAccount={"name": "mine"}), reading()])
def test_other_buckets_and_other_accounts_have_grants_of_their_own(other: dict[str, Any]) -> None:
    assert len(granted(a=reading(serviceAccount={"name": "mine"}), b=other)) == 2


KINDS = "gcp:storage/bucketIAMMember:BucketIAMMember"
STACK = "urn:pulumi:test::gke-llm-serving::l4serve:serving:"
OWN = f"{STACK}BucketRoles${KINDS}::models/storage.objectViewer/{GOOGLE}"
OF_A = f"{STACK}PodCloudRoles${KINDS}::a-models"
OF_B = f"{STACK}WeightStore${KINDS}::b-weights-models"
ELSEWHERE = f"urn:pulumi:test::gke-llm-serving::{KINDS}::models"


def test_a_grant_takes_over_one_that_a_workload_made_in_earlier_versions() -> None:
    (grant,) = made(*granted(a=reading(serviceAccount=ACTS)), deployed=[OF_A]).values()
    assert (grant.urn, grant.aliases, grant.retained) == (OWN, (OF_A,), False)


@pytest.mark.parametrize("stay", [("a", "b"), ("a",), ("b",), ("c",)], ids="-".join)
@pytest.mark.parametrize("later", [False, True], ids=["the first update", "each after it"])
def test_others_of_earlier_versions_stay_beside_it_and_are_never_taken_away(later: bool, stay: tuple[str, ...]) -> None:
    """Each is the same role: the deletion of one would take it from all, also where its workload went."""
    grants = granted(**dict.fromkeys(stay, reading(serviceAccount=ACTS)))
    found = made(*grants, deployed=[OWN, f"{OWN}/b-weights-models"] if later else [OF_A, OF_B])
    grant, beside = (found[name] for name in sorted(found))
    assert (grant.urn, beside.urn) == (OWN, f"{OWN}/b-weights-models")
    assert (grant.retained, beside.retained) == (False, True)
    assert grant.inputs == beside.inputs
    assert (grant.aliases, beside.aliases) == (((), ()) if later else ((OF_A,), (OF_B,)))


OTHERS = [{"bucket": "b/others"}, {"role": "roles/storage.objectUser"}, {"member": f"{PODS}qwen"}, {"member": None}]


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_another_grant_of_the_state_is_not_taken_for_the_same(other: dict[str, Any]) -> None:
    (grant,) = granted(a=reading(serviceAccount=ACTS))
    args = BucketRolesArgs(grants=[grant], deployed={OF_A: HELD | other, ELSEWHERE: HELD})
    (only,) = [each for each in record(lambda: BucketRoles("bucket-roles", args)) if each.custom]
    assert not only.aliases


def test_the_pods_own_principal_is_known_again() -> None:
    (grant,) = granted(qwen=reading())
    held = {**HELD, "member": f"{PODS}qwen"}
    args = BucketRolesArgs(grants=[grant], deployed={OF_A: held})
    registered = record(
        lambda: BucketRoles("bucket-roles", args), invoked=lambda *_: {"number": "42", "projectId": "p"}
    )
    assert [each.aliases for each in registered if each.custom] == [(OF_A,)]
