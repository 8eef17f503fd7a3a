"""Rollouts that cannot deadlock: new pods first where a pool has room for them, old pods first where it has not."""

from l4serve.config.frozen import frozen

LONGEST_AWAIT_SECONDS = 24 * 3600
"""A rollout that takes a day is looked at by somebody."""


@frozen()
class Rollout:
    """The Deployment's rolling update, and the disruption that its pods allow."""

    max_surge: int
    max_unavailable: int
    progress_deadline_seconds: int
    """How long no pod may become ready."""
    await_seconds: int
    """How long Pulumi waits for the whole rollout, whose pods come one after the other."""
    pods_disruptable: int | None
    """maxUnavailable of the PodDisruptionBudget; None where a budget would say nothing."""


def plan_rollout(replicas: int, spare_pods: int | None, deadline_seconds: int, *, on_one_node: bool = False) -> Rollout:
    """A rollout within `spare_pods`, the pods that fit beside all replicas (None: nodes are made on demand).

    Without room, a surge pod would wait for a GPU that only the pod it replaces can free: the rollout would never end.
    So it would for a volume that reaches the pods of one node alone (`on_one_node`).
    """
    surge = 1 if not on_one_node and (spare_pods is None or spare_pods > 0) else 0
    return Rollout(
        max_surge=surge,
        max_unavailable=1 - surge,
        progress_deadline_seconds=deadline_seconds,
        await_seconds=min(LONGEST_AWAIT_SECONDS, deadline_seconds * max(1, replicas)),
        pods_disruptable=1 if replicas > 1 else None,
    )


def rollout_can_end(*, max_surge: int, max_unavailable: int, spare: int) -> bool:
    """Whether a rolling update always makes a next step: an old pod may go first, or a new one finds room."""
    return max_unavailable > 0 or min(max_surge, spare) > 0
