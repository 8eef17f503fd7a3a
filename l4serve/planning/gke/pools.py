"""From a node pool's config to its frozen plan: zones, labels, taints and a name that carries what cannot change."""

from __future__ import annotations

import hashlib
import json

from l4serve.config.keys.node_pool import NodePool, Provisioning
from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.conflicts import pool_problems
from l4serve.planning.gke.pool_plan import (
    COMPUTE_CLASS_LABEL,
    GPU_TAINT_KEY,
    POOL_LABEL,
    NodeSoftware,
    PoolDisks,
    PoolPlan,
    PoolSize,
    PoolSupply,
    PoolTaint,
    PoolUpkeep,
    ReservationPlan,
)
from l4serve.planning.gke.pool_shapes import pool_shape
from l4serve.planning.gke.pool_zones import pool_zones, zone_remarks
from l4serve.planning.gke.upgrades import plan_upgrade
from l4serve.planning.machines.boot_disks import DEFAULT_BOOT_DISK_GB
from l4serve.planning.machines.prices import MARKETS, NO_OVERRIDES, PriceOverrides, gpu_machine_price
from l4serve.planning.machines.shapes import MachineShape

_SCARCE: tuple[Provisioning, ...] = ("spot", "flex-start", "reservation")


def plan_pool(
    name: str,
    config: NodePool,
    cluster: ClusterPlan,
    *,
    compute_class: str | None = None,
    allow_replace: tuple[str, ...] = (),
    prices: PriceOverrides = NO_OVERRIDES,
) -> PoolPlan:
    """Return the plan of a pool. `compute_class` is the class whose fallback order names the pool.

    Raises ConfigError with every combination that GKE or the provider would refuse.
    """
    shape = checked_shape(name, config, cluster)
    protect = config.protect and name not in allow_replace
    return _plan(name, config, shape, cluster, compute_class, prices, protect=protect)


def checked_shape(name: str, config: NodePool, cluster: ClusterPlan | None) -> MachineShape:
    """The shape of a pool's machine; without a cluster, only what no cluster changes is judged.

    Raises ConfigError with every combination that GKE or the provider would refuse.
    """
    path = f"nodePools.{name}"
    found = pool_shape(path, config)
    shape = None if isinstance(found, Problem) else found
    problems = pool_problems(path, config, shape, cluster)
    if isinstance(found, Problem):
        problems = (found, *problems)
    if problems or shape is None:
        raise ConfigError(problems)
    return shape


def _plan(
    name: str,
    config: NodePool,
    shape: MachineShape,
    cluster: ClusterPlan,
    compute_class: str | None,
    prices: PriceOverrides,
    *,
    protect: bool,
) -> PoolPlan:
    zones = pool_zones(config, shape, cluster)
    provisioning = config.effective_provisioning
    ssds = _local_ssds(config, shape)
    return PoolPlan(
        name=name,
        resource_name=f"{name}-{_immutable_hash(config, shape, cluster, ssds)}",
        shape=shape,
        price=gpu_machine_price(shape, region=cluster.region, market=MARKETS[provisioning], overrides=prices),
        size=PoolSize(
            min_nodes=config.min_nodes,
            max_nodes=config.max_nodes,
            initial_nodes=config.min_nodes // max(1, len(zones)),
            zones=zones,
            location_policy=config.location_policy or ("ANY" if provisioning in _SCARCE else "BALANCED"),
        ),
        supply=_supply(config),
        disks=_disks(config, ssds),
        software=_software(config, cluster),
        upkeep=PoolUpkeep(
            upgrade=plan_upgrade(config),
            auto_repair=config.auto_repair and provisioning != "flex-start",
            auto_upgrade=config.auto_upgrade,
        ),
        labels=_labels(name, config, compute_class),
        taints=_taints(config, compute_class),
        resource_labels=cluster.managed.resource_labels if cluster.managed else (),
        create=cluster.name is not None,
        protect=protect,
        guarded=config.protect,
        compute_class=compute_class,
        remarks=(*_remarks(config), *zone_remarks(config, shape, cluster, zones)),
    )


def _supply(config: NodePool) -> PoolSupply:
    return PoolSupply(
        provisioning=config.effective_provisioning,
        queued=bool(config.flex_start and config.flex_start.queued),
        max_run_seconds=_max_run_seconds(config),
        reservation=_reservation(config),
        compact_placement=config.placement is not None,
        placement_policy=config.placement.policy_name if config.placement else None,
    )


def _disks(config: NodePool, ssds: int) -> PoolDisks:
    return PoolDisks(
        size_gb=config.disk_size_gb or DEFAULT_BOOT_DISK_GB,
        type=config.disk_type,
        local_ssds=ssds,
        local_ssd_use=config.local_ssd.use if config.local_ssd else "ephemeral",
        secondary_boot_disk=config.secondary_boot_disk.image if config.secondary_boot_disk else None,
        secondary_boot_disk_mode=config.secondary_boot_disk.mode if config.secondary_boot_disk else None,
    )


def _software(config: NodePool, cluster: ClusterPlan) -> NodeSoftware:
    managed = cluster.managed
    return NodeSoftware(
        driver_version=config.driver_version,
        image_type=config.image_type,
        image_streaming=managed.image_streaming if managed else config.secondary_boot_disk is not None,
        secure_boot=_secure_boot(config),
        max_pods_per_node=config.max_pods_per_node,
        private_nodes=cluster.private_nodes,
    )


def _immutable_hash(config: NodePool, shape: MachineShape, cluster: ClusterPlan, ssds: int) -> str:
    """Six hex digits of every field that the provider can only change by replacing the pool."""
    fixed = {
        "accelerator": [shape.accelerator, shape.gpus],
        "driver": config.driver_version,
        "provisioning": config.effective_provisioning,
        "queued": bool(config.flex_start and config.flex_start.queued),
        "maxRun": _max_run_seconds(config),
        "reservation": config.reservation.model_dump(exclude_none=True) if config.reservation else None,
        "placement": config.placement.model_dump(exclude_none=True) if config.placement else None,
        "localSsd": [ssds, config.local_ssd.use] if config.local_ssd else None,
        "secondaryBootDisk": config.secondary_boot_disk.model_dump(exclude_none=True)
        if config.secondary_boot_disk
        else None,
        "maxPods": config.max_pods_per_node,
        "serviceAccount": cluster.node_service_account,
    }
    # What is unset stays out, so that a setting which a later release adds leaves the names of old pools alone.
    said = {key: value for key, value in fixed.items() if value}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:6]


def _secure_boot(config: NodePool) -> bool:
    """Secure boot refuses unsigned kernel modules, which a driver that the user installs may be."""
    return config.driver_version != "INSTALLATION_DISABLED"


def _max_run_seconds(config: NodePool) -> int | None:
    if config.effective_provisioning != "flex-start":
        return None
    return config.flex_start.max_run_seconds if config.flex_start else 604800


def _reservation(config: NodePool) -> ReservationPlan | None:
    if config.effective_provisioning != "reservation":
        return None
    reservation = config.reservation
    if reservation is None or reservation.name is None:
        return ReservationPlan(affinity="any", values=())
    shared = f"projects/{reservation.project}/reservations/{reservation.name}"
    return ReservationPlan(affinity="specific", values=(shared if reservation.project else reservation.name,))


def _local_ssds(config: NodePool, shape: MachineShape) -> int:
    if config.local_ssd is None:
        return 0
    return config.local_ssd.count or shape.most_local_ssds


def _labels(name: str, config: NodePool, compute_class: str | None) -> tuple[tuple[str, str], ...]:
    own = {POOL_LABEL: name} | ({COMPUTE_CLASS_LABEL: compute_class} if compute_class else {})
    return tuple(sorted({**config.labels, **own}.items()))


def _taints(config: NodePool, compute_class: str | None) -> tuple[PoolTaint, ...]:
    gpu = PoolTaint(key=GPU_TAINT_KEY, value="present", effect="NoSchedule")
    wanted = tuple(PoolTaint(key=t.key, value=t.value, effect=t.effect) for t in config.taints)
    if compute_class is None:
        return (gpu, *wanted)
    return (gpu, PoolTaint(key=COMPUTE_CLASS_LABEL, value=compute_class, effect="NoSchedule"), *wanted)


def _remarks(config: NodePool) -> tuple[str, ...]:
    notes = []
    match config.effective_provisioning:
        case "flex-start":
            days = (_max_run_seconds(config) or 0) / 86400
            notes.append(
                f"flex-start: each node ends {days:g} days after its start at the latest, and its pods with it"
            )
        case "spot":
            notes.append("spot: a node may end at any time, 30 seconds after notice")
    if config.flex_start and config.flex_start.queued:
        notes.append("queued: nodes come only through a ProvisioningRequest, never because a pod is pending")
    if config.driver_version == "INSTALLATION_DISABLED":
        notes.append(
            "driverVersion INSTALLATION_DISABLED: GKE installs no driver, and pods that ask for GPUs stay Pending "
            "until an installer runs on the nodes; LATEST installs one "
            "(https://cloud.google.com/kubernetes-engine/docs/how-to/gpus#installing_drivers)"
        )
    if not config.auto_upgrade:
        notes.append("autoUpgrade is off: nodes fall behind the control plane until someone upgrades them")
    return tuple(notes)
