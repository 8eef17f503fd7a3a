"""Names the machine type of pools that leave it open: the cheapest that holds the workloads of the pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from l4serve.config.gathering import Step
from l4serve.config.keys.node_pool import CHEAPEST, NodePool
from l4serve.config.keys.stack import StackConfig
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import refuse
from l4serve.engines.gpu_layout import GpuLayout, gpu_layout
from l4serve.planning.machines.boot_disks import LARGEST_BOOT_DISK_GB
from l4serve.planning.machines.prices import MARKETS, stated_prices
from l4serve.planning.machines.shapes import all_shapes, default_accelerator
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.packing.machine_choice import Offer, cheapest_machine
from l4serve.planning.packing.node_setup import NodeSetup
from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.values.quantity import GIB, QuantityError, parse_bytes, parse_cpu
from l4serve.planning.workload.pods.host_room import pod_needs


def with_machine_type(
    name: str, config: StackConfig, shapes: Mapping[str, Step[ModelShape | None]], region: str | None
) -> NodePool:
    """A pool's config with a machine type, also where it has none; `shapes` are the models' by workload name.

    Raises ConfigError for a pool without workloads, and for one whose pods no machine holds.
    """
    pool = config.node_pools[name]
    if pool.machine_type != CHEAPEST:
        return pool
    path = f"nodePools.{name}.machineType"
    pods = [_request(key, workload, shapes[key]()) for key, workload in _residents(name, config)]
    if not pods:
        refuse(path, "no workload names the pool, so no machine type can be chosen for it", "set machineType")
    accelerator = pool.accelerator.type if pool.accelerator else default_accelerator()
    offer = Offer(
        accelerator=accelerator,
        cards=pool.accelerator.count if pool.accelerator else None,
        region=region,
        market=MARKETS[pool.effective_provisioning],
        setup=NodeSetup(
            boot_disk_gib=pool.disk_size_gb or LARGEST_BOOT_DISK_GB, local_ssds=_ephemeral_ssds(pool, accelerator)
        ),
        overrides=stated_prices(config.prices),
    )
    chosen = cheapest_machine(pods, offer)
    if chosen is None:
        asked = ", ".join(f"{pod.workload}: {pod.gpus} GPUs, {pod.memory_bytes / GIB:.0f}Gi" for pod in pods)
        refuse(path, f"no machine holds a pod of each workload ({asked})", "see l4serve shapes, or ask for less")
    return pool.model_copy(update={"machine_type": chosen.shape.machine_type})


def _ephemeral_ssds(pool: NodePool, accelerator: str) -> int:
    """Local SSDs that back ephemeral storage; without a count, as many as any machine type takes."""
    if pool.local_ssd is None or pool.local_ssd.use != "ephemeral":
        return 0
    return pool.local_ssd.count or max(shape.most_local_ssds for shape in all_shapes(accelerator))


def _residents(pool: str, config: StackConfig) -> Iterator[tuple[str, Workload]]:
    """The workloads that may run on a pool: they name it, or a class that holds it, or there is no other."""
    classes = {
        name for name, order in config.compute_classes.items() if any(p.node_pool == pool for p in order.priorities)
    }
    for name, workload in config.workloads.items():
        anywhere = workload.node_pool is None and workload.compute_class is None and len(config.node_pools) == 1
        if workload.node_pool == pool or workload.compute_class in classes or anywhere:
            yield name, workload


def _request(name: str, workload: Workload, facts: ModelShape | None) -> PodRequest:
    """What the workload asks for; memory that it leaves open is what its engine needs while it loads."""
    layout = gpu_layout(f"workloads.{name}", workload)
    asked, capped = workload.resources.requests, workload.resources.limits
    memory = asked.memory or capped.memory
    try:
        return PodRequest(
            workload=name,
            cpu_millis=parse_cpu(asked.cpu or capped.cpu or "0"),
            memory_bytes=parse_bytes(memory) if memory else _loading_memory(workload, layout, facts),
            ephemeral_bytes=parse_bytes(asked.ephemeral_storage or capped.ephemeral_storage or "0"),
            gpus=layout.gpus,
            replicas=max(1, workload.most_replicas),
        )
    except QuantityError as error:
        refuse(f"workloads.{name}.resources", str(error))


def _loading_memory(workload: Workload, layout: GpuLayout, facts: ModelShape | None) -> int:
    needs = pod_needs(workload, layout, facts)
    return int(needs.memory_gib * GIB) if needs else 0
