"""What is to be known of a workload's nodes: a driver that may be too old, and GPUs that may not be sold there."""

from collections.abc import Iterator

from l4serve.config.keys.workload import Workload
from l4serve.engines.releases.contract import Contract
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.machines.zones import accelerator_zones, near_locations, zones_are_complete
from l4serve.planning.workload.nodes.node_choice import Place
from l4serve.planning.workload.nodes.node_drivers import driver_notes


def place_notes(workload: Workload, contract: Contract, place: Place, cluster: ClusterPlan) -> Iterator[str]:
    """What is to be said of the place of a workload."""
    nodes = place.alternatives or ((place.shape, place.pool),)
    yield from driver_notes(workload, contract, place, cluster)
    # Of the stack's own pools planning refuses it, until their allowUnlistedZones says that the list is behind.
    if any(pool is None for _, pool in nodes):
        yield from _unsold(place.shape.accelerator, cluster)


def _unsold(accelerator: str, cluster: ClusterPlan) -> Iterator[str]:
    """That the list of an accelerator's zones has none where nodes with it must come from."""
    region, location = cluster.region, cluster.location
    if region is None or location is None or not zones_are_complete(accelerator):
        return
    offered = accelerator_zones(accelerator, region)
    if not offered or not (cluster.regional or location in offered):
        near = ", ".join(near_locations(accelerator, region, zones=not cluster.regional))
        told = f"Google's list has no {accelerator} in {location}, and pods wait for nodes without end there"
        yield f"{told}; it has them in {near}"
