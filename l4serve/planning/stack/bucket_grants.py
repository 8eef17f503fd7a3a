"""Roles of buckets that a stack grants: each role of an account once, however many workloads have it."""

from collections.abc import Iterable, Iterator, Sequence

from l4serve.config.frozen import frozen
from l4serve.planning.values.note import Note
from l4serve.planning.workload.workload_plan import WorkloadPlan

Needed = tuple[str, str]
"""(bucket, role)"""
_WIDER = {"roles/storage.objectViewer": "roles/storage.objectUser"}
"""Roles that let their holder do all that another does: https://docs.cloud.google.com/storage/docs/access-control/iam-roles"""


@frozen(kw_only=True)
class BucketGrant:
    """A role on a bucket, who has it, and the workloads whose pods need it.

    Google Cloud keeps a grant once. As a resource of each workload, the one that goes would take the role from those
    that stay: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/storage_bucket_iam
    """

    bucket: str
    role: str
    account: str
    """A Google account, which is the same in each namespace, or `NAMESPACE/ACCOUNT` of Kubernetes."""
    workloads: tuple[WorkloadPlan, ...]
    """At least one; all have the same account."""


def bucket_grants(workloads: Sequence[WorkloadPlan]) -> tuple[BucketGrant, ...]:
    """Every role on a bucket that the stack grants, in the order of its workloads."""
    asking: dict[tuple[str, str, str], list[WorkloadPlan]] = {}
    for workload in workloads:
        for bucket, role in _roles(workload):
            asking.setdefault((bucket, role, pod_account(workload)), []).append(workload)
    return tuple(
        BucketGrant(bucket=bucket, role=role, account=account, workloads=tuple(found))
        for (bucket, role, account), found in asking.items()
    )


def pod_account(workload: WorkloadPlan) -> str:
    """Who has the roles of a workload's pods: a Google account, or `NAMESPACE/ACCOUNT` of Kubernetes."""
    return workload.identity.google_account or f"{workload.namespace}/{workload.identity.account}"


def lacking(workload: WorkloadPlan, needed: Iterable[Needed], grants: Sequence[BucketGrant]) -> tuple[Needed, ...]:
    """Which roles no grant of the stack gives the account of a workload, alone or within a wider one."""
    asked = dict.fromkeys(needed)
    if not asked:  # as of nearly every workload, for which no grant need be looked at
        return ()
    account = pod_account(workload)
    held = {(grant.bucket, grant.role) for grant in grants if grant.account == account}
    return tuple(
        (bucket, role) for bucket, role in asked if not {(bucket, role), (bucket, _WIDER.get(role, role))} & held
    )


def left_to_user(workload: WorkloadPlan) -> tuple[Needed, ...]:
    """The roles that a workload's pods need and that its config leaves to the user."""
    return tuple((bucket, workload.storage.role or "") for bucket in workload.storage.ungranted)


def ungranted_notes(workloads: Sequence[WorkloadPlan]) -> Iterator[Note]:
    """A note on each bucket that pods read and that nothing in the stack lets them read."""
    grants = bucket_grants(workloads)
    for workload in workloads:
        for bucket, role in lacking(workload, left_to_user(workload), grants):
            told = f"the stack grants no access to gs://{bucket}: {pod_account(workload)} needs {role} on the bucket"
            order = "where the stack granted it before, grant it after the update, which takes it away whoever gave it"
            yield Note(f"workloads.{workload.name}.model.source.manageAccess", f"{told}; {order}")


def _roles(workload: WorkloadPlan) -> Iterator[Needed]:
    """(bucket, role) of all that a workload's pods read or write."""
    yield from workload.identity.bucket_roles
    for bucket in workload.storage.readable:
        yield bucket, workload.storage.role or ""
