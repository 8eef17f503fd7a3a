"""What is to be known of a workload's nodes: a driver that may be too old, and GPUs that may not be sold there."""

from collections.abc import Iterable, Iterator

from l4serve.config.workload import Workload
from l4serve.engines.contract import Contract
from l4serve.engines.images import wanted_driver
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.machines.zones import accelerator_zones, near_locations, zones_are_complete
from l4serve.planning.workload.node_choice import Place


def place_notes(workload: Workload, contract: Contract, place: Place, cluster: ClusterPlan) -> Iterator[str]:
    """What is to be said of the place of a workload."""
    nodes = place.alternatives or ((place.shape, place.pool),)
    yield from _drivers(workload, contract, dict.fromkeys(pool for _, pool in nodes), cluster)
    # Of the stack's own pools planning refuses it, until their allowUnlistedZones says that the list is behind.
    if any(pool is None for _, pool in nodes):
        yield from _unsold(place.shape.accelerator, cluster)


def _drivers(
    workload: Workload, contract: Contract, pools: Iterable[PoolPlan | None], cluster: ClusterPlan
) -> Iterator[str]:
    """That a driver may be too old for the image: a pool's as its config says, the default one on Autopilot."""
    engine, facts = workload.engine, contract.image_facts
    if facts.compatibility and workload.extra_env.get(facts.compatibility, "").lower() in ("1", "true"):
        return
    instead = f'extraEnv.{facts.compatibility}: "1" runs it by libraries of the image' if facts.compatibility else ""
    for pool in pools:
        if pool is None and cluster.mode != "autopilot":
            continue
        driver = wanted_driver(engine.kind, engine.image, contract, pool.software.driver_version if pool else "DEFAULT")
        if driver is None:
            continue
        latest = f"nodePools.{pool.name}.driverVersion: LATEST installs {driver} or newer" if pool else ""
        yield (
            f"the image of {contract.name} is built for CUDA {facts.cuda}, which needs driver {driver} or newer; "
            f"on {f'pool {pool.name}' if pool else 'nodes of Autopilot'} by default GKE may install an older one, and "
            f"the server finds no GPU; {latest or instead or 'an older engine.version is built for CUDA 12'}"
        )


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
