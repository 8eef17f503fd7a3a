"""The notes and warnings of a plan: what an operator should know before it runs."""

from collections.abc import Iterator

from components.planning.plan import StackPlan

TOKEN_WAYS = "pulumi config set --secret hfToken, or huggingFace: {existingSecret: NAME}"


def notes(plan: StackPlan) -> Iterator[tuple[str, str]]:
    """Each note of a plan, after the YAML path that it is about."""
    for name in plan.token_missing:
        missing = "the model is gated and the stack has no token, so a placeholder stands in for it; for pulumi up"
        yield f"workloads.{name}", f"{missing}: {TOKEN_WAYS}"
    for note in plan.cluster.notes:
        yield "cluster", note
    for pool in plan.node_pools:
        for note in pool.notes:
            yield f"nodePools.{pool.name}", note
    for workload in plan.workloads:
        for note in workload.judgement.notes:
            yield f"workloads.{workload.name}", note
        for verdict in workload.judgement.verdicts:
            yield f"workloads.{workload.name}.{verdict.field}", f"{verdict.reason} [{verdict.rule_id}]"
