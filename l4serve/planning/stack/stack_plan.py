"""The plan of a stack: frozen values, and nothing that makes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from l4serve.planning.gke.classes import ComputeClassPlan
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.gke.pools import PoolPlan
from l4serve.planning.machines.prices import Price
from l4serve.planning.packing.placement import PoolPlacement
from l4serve.planning.stack.cost import StackCost
from l4serve.planning.stack.edits import Effect
from l4serve.planning.workload.workload_plan import WorkloadPlan


@dataclass(frozen=True, kw_only=True)
class StackPlan:
    """A stack, resolved."""

    stack: str
    namespace: str
    create_namespace: bool
    cluster: ClusterPlan
    node_pools: tuple[PoolPlan, ...]
    compute_classes: tuple[ComputeClassPlan, ...]
    secret: SecretPlan | None
    """Secret with the Hugging Face token; None where no workload and no config asks for one."""
    token_missing: tuple[str, ...]
    """Workloads whose gated model needs a token that the stack does not have."""
    workloads: tuple[WorkloadPlan, ...]
    placement: tuple[PoolPlacement, ...]
    """Where the replicas land on the stack's pools, as many as autoscaling may make of them."""
    dashboard: Mapping[str, Any] | None
    """Dashboard to make, as the Monitoring API takes it."""
    dashboard_project: str | None
    """Project of the dashboard; None is the provider's."""
    prices: Mapping[str, Price | None]
    """Price of one node of each pool; None where nobody states it."""
    cost: StackCost
    """What the stack costs per hour at its smallest and at its largest."""
    edits: tuple[tuple[str, Effect], ...]
    """Every field that the config sets, with what an edit there does."""
