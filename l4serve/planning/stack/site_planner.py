"""Plans where the workloads of a stack may run: its cluster, node pools and compute classes."""

from collections.abc import Mapping
from functools import partial

from l4serve.config.gathering import Step, gather, gather_all, once
from l4serve.config.keys.node_pool import CHEAPEST, NodePool
from l4serve.config.keys.stack import StackConfig
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import Stack
from l4serve.planning.gke.classes import ComputeClassPlan, class_of_each_pool, plan_compute_class
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.cluster_planner import ClusterNeeds, plan_cluster
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.gke.pool_shapes import pool_shape
from l4serve.planning.gke.pools import checked_shape, plan_pool
from l4serve.planning.machines.prices import stated_prices
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.stack.disk_defaults import with_disks
from l4serve.planning.stack.machine_defaults import with_machine_type
from l4serve.planning.workload.nodes.node_choice import Site
from l4serve.planning.workload.reach.endpoint_picker import picker_apis
from l4serve.planning.workload.scaling import hpa_profile


def planned_cluster(stack: Stack) -> ClusterPlan:
    """The cluster of a stack; raises ConfigError with every problem of it."""
    config = stack.config
    workloads = tuple(config.workloads.values())
    needs = ClusterNeeds(hpa_profile=hpa_profile(workloads), apis=picker_apis(workloads))
    return plan_cluster(config.cluster, project=stack.project, allow_replace=config.allow_replace, needs=needs)


def planned_site(
    config: StackConfig, cluster: Step[ClusterPlan], shapes: Mapping[str, Step[ModelShape | None]]
) -> Site:
    """Cluster, pools and classes; raises ConfigError with the problems of all of them.

    `shapes` are the models' by workload, by which a pool without a machine type gets the cheapest that holds them.
    """
    owners = once(partial(class_of_each_pool, config.compute_classes))

    def pool(name: str) -> PoolPlan:
        try:
            region = cluster().region
        except ConfigError:
            _refuse_alone(name, config.node_pools[name])
            raise
        named = with_machine_type(name, config, shapes, region)
        return plan_pool(
            name,
            named,
            cluster(),
            compute_class=owners().get(name),
            allow_replace=config.allow_replace,
            prices=stated_prices(config.prices),
        )

    pools = {name: once(partial(pool, name)) for name in config.node_pools}

    def compute_class(name: str) -> ComputeClassPlan:
        order = config.compute_classes[name]
        wanted = [p.node_pool for p in order.priorities if p.node_pool in pools]
        planned = dict(zip(wanted, gather_all(pools[key] for key in wanted), strict=True))
        return plan_compute_class(name, order, cluster(), planned, config.node_pools)

    classes = once(lambda: gather_all(partial(compute_class, name) for name in config.compute_classes))
    found = gather(cluster, owners, lambda: gather_all(pools.values()), classes)
    return Site(cluster=found[0], pools=with_disks(config, shapes, found[2]), classes=found[3])


def _refuse_alone(name: str, pool: NodePool) -> None:
    """Raises ConfigError with what is wrong with a pool on any cluster."""
    if pool.machine_type != CHEAPEST:
        checked_shape(name, pool, None)


def accelerators_of_pools(config: StackConfig) -> Mapping[str, str]:
    """The accelerator of each pool whose machine type the config names, by the pool's name."""
    shapes = ((name, pool_shape(name, pool)) for name, pool in config.node_pools.items())
    return {name: shape.accelerator for name, shape in shapes if isinstance(shape, MachineShape)}
