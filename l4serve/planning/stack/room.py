"""What a stack's workloads ask of its pools, and what the pools hold, as packing takes them."""

from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.packing.placement import NodeSetup, PodRequest, PoolRoom
from l4serve.planning.workload.workload_plan import WorkloadPlan


def pods_of(workload: WorkloadPlan) -> PodRequest:
    """The pods of a planned workload, as many as there may be."""
    requests = workload.resources.requests
    return PodRequest(
        workload=workload.name,
        cpu_millis=requests.cpu_millis,
        memory_bytes=requests.memory_bytes,
        ephemeral_bytes=requests.ephemeral_bytes,
        gpus=workload.layout.gpus,
        replicas=workload.scale.most_replicas,
        node_pool=workload.placing.packed_on,
    )


def pool_room(pool: PoolPlan) -> PoolRoom:
    """The nodes that a pool may grow to."""
    setup = NodeSetup(boot_disk_gib=pool.disks.size_gb, local_ssds=pool.ephemeral_ssds)
    return PoolRoom(name=pool.name, shape=pool.shape, max_nodes=pool.size.max_nodes, setup=setup)
