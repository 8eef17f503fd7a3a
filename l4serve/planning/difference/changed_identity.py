"""Pods that act as another account in Google Cloud from an update on: a Google one, or one of Kubernetes."""

from collections.abc import Iterator, Sequence

from l4serve.planning.difference.stack_diff import Danger, WorkloadPart
from l4serve.planning.stack.bucket_grants import bucket_grants, lacking, pod_account
from l4serve.planning.stack.edits import Effect
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan

_TOKEN_LIFE = "an hour"
"""https://cloud.google.com/docs/authentication/token-types#access-tokens (2026-11-27)"""


def changed_identities(
    before: StackPlan,
    after: StackPlan,
    pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]],
    parts: Sequence[WorkloadPart],
) -> Iterator[Danger]:
    """A danger for each workload whose pods get, change or lose a Google account, or have another of Kubernetes."""
    lands = {part.name: part.lands for part in parts}
    for old, new in pairs:
        if old is None or new is None or new.identity.project is None or pod_account(old) == pod_account(new):
            continue
        told = f"{_when(old, new, lands.get(new.name))}: {_by_hand(old, new)}{_by_the_stack(old, new, before, after)}"
        yield Danger("identity changed", _at(old, new), told)


def _at(old: WorkloadPlan, new: WorkloadPlan) -> str:
    if old.identity.google_account != new.identity.google_account:
        return f"workloads.{new.name}.serviceAccount.googleAccount"
    return f"workloads.{new.name}.serviceAccount.name" if old.namespace == new.namespace else "namespace"


def _when(old: WorkloadPlan, new: WorkloadPlan, lands: Effect | None) -> str:
    if not new.scale.replicas:
        return f"no pod of {new.name} runs, and its next ones act as {pod_account(new)}"
    if not old.scale.replicas or (lands is not None and lands >= Effect.POD_RESTART):
        return f"the new pods of {new.name} act as {pod_account(new)}"
    ends = f"once its token of {pod_account(old)} ends, {_TOKEN_LIFE} at the most"
    return f"no pod of {new.name} restarts, and each acts as {pod_account(new)} {ends}"


def _by_hand(old: WorkloadPlan, new: WorkloadPlan) -> str:
    return f"grant {pod_account(new)} before the update what {pod_account(old)} may do and the stack does not grant"


def _by_the_stack(old: WorkloadPlan, new: WorkloadPlan, before: StackPlan, after: StackPlan) -> str:
    """Roles on buckets that go over: those of the new account come first, and those of the old one go last."""
    account, grants = pod_account(old), bucket_grants(after.workloads)
    held = [(grant.bucket, grant.role) for grant in bucket_grants(before.workloads) if grant.account == account]
    kept = {(grant.bucket, grant.role) for grant in grants if grant.account == account}
    moved = [each for each in held if each not in kept and not lacking(new, (each,), grants)]
    if not moved:
        return ""
    roles = ", ".join(f"{role} on bucket {bucket}" for bucket, role in moved)
    return f"; the stack grants {roles} first and takes it from {account} last, whose tokens are refused from then on"
