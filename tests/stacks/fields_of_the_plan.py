"""Fields that change the plan and nothing that a rendering shows, with what they are for."""

_CONNECTS = "where the provider connects, which is no resource of a rendering; tested with the cluster's component"
_COSTS = "what the plan says that the stack costs"
_SPEED = "what the plan says of speed, and what `bench` asks; no pod is told"
ONLY_PLANNED = {
    "cluster.kubeconfig": _CONNECTS,
    "cluster.context": _CONNECTS,
    "prices.onDemand": _COSTS,
    "prices.spot": _COSTS,
    "prices.flexStart": _COSTS,
    "workloads.*.load.inputTokens": _SPEED,
    "workloads.*.load.outputTokens": _SPEED,
}
