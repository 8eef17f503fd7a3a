"""The notes and warnings of a plan: what an operator should know before it runs."""

from collections.abc import Iterator

from l4serve.planning.packing.placement import PoolPlacement
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.scraping import SCRAPE_NOTE

TOKEN_WAYS = "pulumi config set --secret hfToken, or huggingFace: {existingSecret: NAME}"


def notes(plan: StackPlan) -> Iterator[tuple[str, str]]:
    """Each note of a plan, after the YAML path that it is about."""
    if plan.token_missing:
        gated = f"gated models ({', '.join(plan.token_missing)}) and no token: a placeholder stands in for it"
        yield "huggingFace", f"{gated}; before pulumi up: {TOKEN_WAYS}"
    for pool in plan.node_pools:
        for note in pool.notes:
            yield f"nodePools.{pool.name}", note
    for placement in plan.placement:
        for note in _placement_notes(placement):
            yield f"nodePools.{placement.pool}", note
    if plan.cluster.managed is None and any(workload.pod_monitoring for workload in plan.workloads):
        yield "monitoring.podMonitoring", SCRAPE_NOTE
    if gaps := [w.name for w in plan.workloads if w.replicas == 1 and not w.rollout.max_surge]:
        yield "workloads", f"an update takes {', '.join(gaps)} away while the new pod loads: no GPU is free beside it"
    for workload in plan.workloads:
        if workload.autoscaling is not None:
            yield f"workloads.{workload.name}.autoscaling", workload.autoscaling.note
        for note in workload.judgement.notes:
            yield f"workloads.{workload.name}", note
        for verdict in workload.judgement.verdicts:
            yield f"workloads.{workload.name}.{verdict.field}", f"{verdict.reason} [{verdict.rule_id}]"


def _placement_notes(placement: PoolPlacement) -> Iterator[str]:
    if placement.order_matters:
        yield (
            "all replicas fit, but small pods that come first can leave a larger one Pending; "
            "give pods of different GPU counts pools of their own, or raise maxNodes"
        )
    if placement.gpus_stranded:
        yield f"{placement.gpus_stranded} of its GPUs stay idle: what is left of CPU, memory or disk holds no pod"
