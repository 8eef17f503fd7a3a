"""Roles on buckets that an update takes from pods which keep running: Google Cloud keeps a role of an account once."""

from collections.abc import Iterator, Sequence

from l4serve.planning.difference.stack_diff import Danger
from l4serve.planning.stack.bucket_grants import bucket_grants, lacking, left_to_user, pod_account
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan


def lost_roles(
    before: StackPlan, after: StackPlan, pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]]
) -> Iterator[Danger]:
    """A danger for each role that the stack gave the pods of a workload and that nobody gives them after the update."""
    grants = bucket_grants(before.workloads), bucket_grants(after.workloads)
    for old, new in pairs:
        if old is None or new is None:
            continue
        unread = left_to_user(new)
        needed = (*unread, *old.identity.bucket_roles)
        never = lacking(old, needed, grants[0])
        for bucket, role in lacking(new, (each for each in needed if each not in never), grants[1]):
            told = f"the update takes {role} on bucket {bucket} from the pods of {new.name}"
            lasts = f"until {pod_account(new)} is granted it after the update; a grant made before goes with it"
            path = f"workloads.{new.name}." + (
                "model.source.manageAccess" if (bucket, role) in unread else _at(old, new)
            )
            yield Danger("access lost", path, f"{told}, {lasts}")


def _at(old: WorkloadPlan, new: WorkloadPlan) -> str:
    if old.identity.bucket_roles != new.identity.bucket_roles:
        return "serviceAccount.buckets"
    return "serviceAccount"
