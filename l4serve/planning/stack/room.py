"""What a stack's workloads ask of its pools, and what the pools hold, as packing takes them."""

from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.packing.node_setup import NodeSetup
from l4serve.planning.packing.placement import PodRequest, PoolRoom
from l4serve.planning.workload.nodes.node_choice import Placing
from l4serve.planning.workload.pods.pod_resources import PodResources
from l4serve.planning.workload.workload_plan import WorkloadPlan


def pods_of(workload: WorkloadPlan) -> PodRequest:
    """The pods of a planned workload, as many as there may be."""
    return pod_request(workload.name, workload.resources, workload.placing, workload.scale.most_replicas)


def pod_request(name: str, resources: PodResources, placing: Placing, replicas: int) -> PodRequest:
    """What so many pods of a workload ask of the pool that they are packed on."""
    requests = resources.of_one_pod()
    return PodRequest(
        workload=name,
        cpu_millis=requests.cpu_millis,
        memory_bytes=requests.memory_bytes,
        ephemeral_bytes=requests.ephemeral_bytes,
        gpus=resources.gpus,
        replicas=replicas,
        node_pool=placing.packed_on,
    )


def pool_room(pool: PoolPlan) -> PoolRoom:
    """The nodes that a pool may grow to."""
    setup = NodeSetup(boot_disk_gib=pool.disks.size_gb, local_ssds=pool.ephemeral_ssds)
    return PoolRoom(name=pool.name, shape=pool.shape, max_nodes=pool.size.max_nodes, setup=setup)
