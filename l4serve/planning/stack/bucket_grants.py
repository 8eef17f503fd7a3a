"""Roles of buckets that a stack grants: each role of an account once, however many workloads have it."""

from collections.abc import Iterator, Sequence

from l4serve.config.frozen import frozen
from l4serve.planning.workload.workload_plan import WorkloadPlan


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
        account = workload.identity.google_account or f"{workload.namespace}/{workload.identity.account}"
        for bucket, role in _roles(workload):
            asking.setdefault((bucket, role, account), []).append(workload)
    return tuple(
        BucketGrant(bucket=bucket, role=role, account=account, workloads=tuple(found))
        for (bucket, role, account), found in asking.items()
    )


def _roles(workload: WorkloadPlan) -> Iterator[tuple[str, str]]:
    """(bucket, role) of all that a workload's pods read or write."""
    yield from workload.identity.bucket_roles
    for bucket in workload.storage.readable:
        yield bucket, workload.storage.role or ""
