"""The zones of a pool, and what is not known of them."""

from __future__ import annotations

from l4serve.config.keys.node_pool import NodePool
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.machines.zones import accelerator_zones, zones_are_complete


def pool_zones(config: NodePool, shape: MachineShape, cluster: ClusterPlan) -> tuple[str, ...]:
    """Zones of the pool: the config's, else a zonal cluster's own, else the region's with the accelerator."""
    if config.zones:
        return tuple(sorted(config.zones))
    if cluster.location is None:
        return ()
    if not cluster.regional:
        return (cluster.location,)
    return accelerator_zones(shape.accelerator, cluster.location)


def zone_remarks(
    config: NodePool, shape: MachineShape, cluster: ClusterPlan, zones: tuple[str, ...]
) -> tuple[str, ...]:
    """What is not known of the pool's zones; a list that names every zone of the accelerator refuses instead."""
    region = cluster.region
    if region is None or config.allow_unlisted_zones or zones_are_complete(shape.accelerator):
        return ()
    if not zones:
        where = f"no source names the zones of {region} with {shape.accelerator}"
        return (f"{where}: the pool takes the cluster's own zones; set zones to those that have it",)
    unnamed = [zone for zone in zones if zone not in accelerator_zones(shape.accelerator, region)]
    if not unnamed:
        return ()
    return (f"no source names {', '.join(unnamed)} for {shape.accelerator}: whether it is there shows when nodes come",)
