"""Roles of buckets that two workloads are granted as one account: Google Cloud keeps them once."""

from collections.abc import Iterator, Sequence

from l4serve.planning.values.note import Note
from l4serve.planning.workload.workload_plan import WorkloadPlan


def shared_grants(workloads: Sequence[WorkloadPlan]) -> Iterator[Note]:
    """A note for each role that several workloads grant one account: who goes takes it from those who stay.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/storage_bucket_iam
    """
    owners: dict[tuple[str, str, str], list[str]] = {}
    for workload in workloads:
        for granted in _grants(workload):
            owners.setdefault(granted, []).append(workload.name)
    for (bucket, role, account), names in owners.items():
        if len(names) > 1:
            text = f"{' and '.join(names)} are each granted {role} of gs://{bucket} as the one account {account}"
            yield Note(
                f"workloads.{names[-1]}", f"{text}: the workload that goes takes the role from the one that stays"
            )


def _grants(workload: WorkloadPlan) -> Iterator[tuple[str, str, str]]:
    """(bucket, role, account) of each role that the workload's resources grant."""
    account = workload.identity.google_account or workload.identity.account
    for bucket, role in workload.identity.bucket_roles:
        yield bucket, role, account
    for bucket in workload.storage.readable:
        yield bucket, workload.storage.role or "", account
