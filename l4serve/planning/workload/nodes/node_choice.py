"""Which pool a workload runs on, and how its pods say so."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from l4serve.config.frozen import frozen
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import refuse
from l4serve.config.words.spelling import one_of
from l4serve.engines.gpu_layout import asking_key
from l4serve.planning.gke.classes import ComputeClassPlan
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import COMPUTE_CLASS_LABEL, GPU_TAINT_KEY, POOL_LABEL, PoolPlan
from l4serve.planning.machines.allocatable import Allocatable, pod_capacity
from l4serve.planning.machines.boot_disks import DEFAULT_BOOT_DISK_GB
from l4serve.planning.machines.shapes import MachineShape, all_shapes, default_accelerator
from l4serve.planning.memory.remedies import GPU_COUNTS

ACCELERATOR_LABEL = "cloud.google.com/gke-accelerator"
MACHINE_LABEL = "node.kubernetes.io/instance-type"


@frozen()
class Toleration:
    """A taint that the pods bear."""

    key: str
    operator: str
    effect: str
    value: str | None = None


@frozen()
class Placing:
    """Where the pods may run."""

    node_pool: str | None
    packed_on: str | None
    """Pool whose room holds the replicas: the pods' own, or the largest of their compute class."""
    compute_class: str | None
    machine_type: str | None
    fixed_nodes: bool
    """Whether the nodes are what they are, in place of being made for the pods."""
    node_selector: Mapping[str, str]
    tolerations: tuple[Toleration, ...]
    class_pools: tuple[str, ...] = ()
    """The stack's pools of the compute class, in its order."""
    makes_nodes: bool = False
    """Whether the compute class makes machines where its pools are full."""
    whole_cards_only: bool = False
    """Whether pods keep off nodes that deal out parts of their cards, which a cluster of others may have."""


_GPU_TOLERATION = Toleration(key=GPU_TAINT_KEY, operator="Exists", effect="NoSchedule")


@frozen(kw_only=True)
class Site:
    """Where the workloads of a stack may run."""

    cluster: ClusterPlan
    pools: tuple[PoolPlan, ...]
    classes: tuple[ComputeClassPlan, ...] = ()


@frozen()
class Place:
    """A workload's place: the pool (None where the cluster's nodes are not the stack's) and the node's shape."""

    pool: PoolPlan | None
    shape: MachineShape
    placing: Placing
    autopilot: bool = False
    spot: bool = False
    """Whether some of its nodes may be taken away within seconds."""
    off_spot: Placing | None = None
    """Where pods may run that no spot node may have; None where every node is spot."""
    alternatives: tuple[tuple[MachineShape, PoolPlan | None], ...] = ()
    """In a compute class, every machine that may come, with its pool where that is the stack's."""

    def capacity(self, gpus: int) -> Allocatable:
        """What a pod with so many of the node's GPUs may ask for, on whichever of the place's nodes it lands."""
        rooms = [_room(shape, gpus, pool) for shape, pool in self.alternatives or ((self.shape, self.pool),)]
        return Allocatable(
            cpu_millis=min(room.cpu_millis for room in rooms),
            memory_bytes=min(room.memory_bytes for room in rooms),
            ephemeral_bytes=min(room.ephemeral_bytes for room in rooms),
            gpus=gpus,
            pods=1,
        )

    @property
    def gpu_counts(self) -> tuple[int, ...]:
        """GPUs that a pod may ask for without another place: those of its machine, or any where nodes are made."""
        shapes = [self.shape] if self.pool or self.placing.compute_class else all_shapes(self.shape.accelerator)
        return tuple(count for count in GPU_COUNTS if count <= max(shape.gpus for shape in shapes))


def _room(shape: MachineShape, gpus: int, pool: PoolPlan | None) -> Allocatable:
    disk = pool.disks.size_gb if pool else DEFAULT_BOOT_DISK_GB
    return pod_capacity(shape, gpus, boot_disk_gib=disk, local_ssds=pool.ephemeral_ssds if pool else 0)


def refuse_unknown_place(path: str, workload: Workload, pools: Collection[str], classes: Collection[str]) -> None:
    """Raises ConfigError for a workload that names a pool or a class which the config does not define."""
    wanted = workload.compute_class
    if wanted is not None and wanted not in classes:
        none = f"define {wanted} in computeClasses, or name a node pool by nodePool"
        remedy = one_of(wanted, classes) if classes else none
        refuse(f"{path}.computeClass", f"there is no compute class {wanted!r}", remedy)
    if wanted is None and pools and workload.node_pool not in (None, *pools):
        message = f"there is no node pool {workload.node_pool!r}"
        refuse(f"{path}.nodePool", message, one_of(str(workload.node_pool), pools))


def find_place(path: str, workload: Workload, gpus: int, site: Site) -> Place:
    """The place of a workload at a YAML path: the named pool, else the smallest with enough GPUs.

    Raises ConfigError where no node could hold the pod.
    """
    if workload.compute_class is not None:
        return _in_class(path, workload, workload.compute_class, gpus, site)
    if not site.pools:
        return _unpooled(path, workload, gpus, site.cluster)
    if workload.node_pool is not None:
        return _named(path, workload, gpus, site.pools)
    found = smallest_pool(site.pools, gpus)
    if found is None:
        largest = max(site.pools, key=lambda p: p.gpus)
        refuse(asking_key(path, workload), *_too_many(gpus, "the largest node pool", largest.gpus, largest.accelerator))
    return _pooled(found)


def smallest_pool(pools: Sequence[PoolPlan], gpus: int) -> PoolPlan | None:
    """The pool of a workload that names none: the smallest whose nodes have enough GPUs."""
    enough = (pool for pool in pools if pool.gpus >= gpus)
    return min(enough, key=lambda pool: (pool.gpus, pool.shape.vcpus, pool.name), default=None)


def _in_class(path: str, workload: Workload, name: str, gpus: int, site: Site) -> Place:
    """The smallest machine of the class's order, since the pods must fit whichever of them comes."""
    wanted = next(c for c in site.classes if c.name == name)
    own = sorted((p for p in site.pools if p.compute_class == name), key=lambda p: (p.gpus, p.size.max_nodes))
    alternatives = (*((p.shape, p) for p in own), *((p.shape, None) for p in wanted.priorities if p.shape))
    shapes = sorted((shape for shape, _ in alternatives), key=lambda s: (s.gpus, s.vcpus))
    if len(accelerators := sorted({shape.accelerator for shape in shapes})) > 1:
        message = f"compute class {name!r} mixes {' and '.join(accelerators)}: pods select one, and none of the others"
        refuse(f"{path}.computeClass", message, "define a class for each accelerator")
    if shapes[0].gpus < gpus:
        where, smallest = f"compute class {name!r}", shapes[0]
        refuse(asking_key(path, workload), *_too_many(gpus, where, smallest.gpus, smallest.accelerator))
    by_name = {pool.resource_name: pool.name for pool in own}
    own_taint = Toleration(key=COMPUTE_CLASS_LABEL, operator="Equal", value=name, effect="NoSchedule")
    of_pools = (toleration for pool in own for toleration in _tolerations(pool) if toleration.key != own_taint.key)
    placing = Placing(
        node_pool=None,
        packed_on=own[-1].name if own else None,
        compute_class=name,
        machine_type=None,
        fixed_nodes=False,
        node_selector={ACCELERATOR_LABEL: shapes[0].accelerator, **wanted.node_selector},
        tolerations=(_GPU_TOLERATION, own_taint, *dict.fromkeys(of_pools)),
        class_pools=tuple(by_name[name] for p in wanted.priorities for name in p.pools if name in by_name),
        makes_nodes=any(priority.shape for priority in wanted.priorities),
    )
    return Place(
        own[-1] if own else None,
        shapes[0],
        placing,
        alternatives=alternatives,
        spot=any(priority.spot for priority in wanted.priorities) or any(_is_spot(pool) for pool in own),
        off_spot=_off_spot(placing, [pool for pool in own if not _is_spot(pool)], wanted),
    )


def _off_spot(placing: Placing, lasting: Sequence[PoolPlan], wanted: ComputeClassPlan) -> Placing | None:
    """The part of a class's nodes that are not spot."""
    made = any(priority.shape and not priority.spot for priority in wanted.priorities)
    if not lasting and not made:
        return None
    names = {pool.name for pool in lasting}
    return replace(
        placing,
        packed_on=lasting[-1].name if lasting else None,
        class_pools=tuple(name for name in placing.class_pools if name in names),
        makes_nodes=made,
    )


def _is_spot(pool: PoolPlan) -> bool:
    return pool.supply.provisioning == "spot"


def _named(path: str, workload: Workload, gpus: int, pools: Sequence[PoolPlan]) -> Place:
    pool = next(p for p in pools if p.name == workload.node_pool)
    if pool.gpus < gpus:
        refuse(asking_key(path, workload), *_too_many(gpus, f"node pool {pool.name!r}", pool.gpus, pool.accelerator))
    return _pooled(pool)


def _too_many(gpus: int, where: str, most: int, accelerator: str) -> tuple[str, str]:
    larger = next((s.machine_type for s in all_shapes(accelerator) if s.gpus >= gpus), None)
    none = f"use fewer GPUs: no machine with {accelerator} has {gpus}"
    remedy = f"use a pool of machineType {larger}" if larger else none
    cards = f"{most} GPU{'s' if most > 1 else ''}"
    return f"the pod needs {gpus} GPUs and {where} has nodes with {cards}: it would stay Pending", remedy


def _unpooled(path: str, workload: Workload, gpus: int, cluster: ClusterPlan) -> Place:
    if workload.node_pool is not None:
        remedy = (
            "remove nodePool" if cluster.mode == "autopilot" else "remove nodePool, or define the pool in nodePools"
        )
        refuse(f"{path}.nodePool", "the stack has no node pools", remedy)
    if cluster.mode == "standard":
        refuse(f"{path}.nodePool", "the stack has no node pool to run this on", "define one in nodePools")
    accelerator = default_accelerator()
    known = all_shapes(accelerator)
    shape = next((s for s in known if s.gpus >= gpus), None)
    if shape is None:
        message = f"no machine with {accelerator} has {gpus} GPUs"
        refuse(asking_key(path, workload), message, f"use at most {max(s.gpus for s in known)}")
    return Place(
        None,
        shape,
        Placing(
            node_pool=None,
            packed_on=None,
            compute_class=None,
            machine_type=None,
            fixed_nodes=cluster.mode == "existing",
            node_selector={ACCELERATOR_LABEL: shape.accelerator},
            tolerations=(_GPU_TOLERATION,),
            whole_cards_only=cluster.mode == "existing",
        ),
        autopilot=cluster.mode == "autopilot",
    )


def _tolerations(pool: PoolPlan) -> tuple[Toleration, ...]:
    """What a pod must tolerate of a pool beside its cards."""
    return tuple(
        Toleration(key=taint.key, operator="Equal", value=taint.value, effect=taint.effect)
        for taint in pool.taints
        if taint.key != GPU_TAINT_KEY
    )


def _pooled(pool: PoolPlan) -> Place:
    # Nodes that the stack only describes carry no label of its own: they are known by what the config says of them.
    described = {key: value for key, value in pool.labels if key != POOL_LABEL}
    described[MACHINE_LABEL] = pool.machine_type
    selector = {ACCELERATOR_LABEL: pool.accelerator, **({POOL_LABEL: pool.name} if pool.create else described)}
    return Place(
        pool,
        pool.shape,
        Placing(
            node_pool=pool.name,
            packed_on=pool.name,
            compute_class=None,
            machine_type=pool.machine_type,
            fixed_nodes=False,
            node_selector=selector,
            tolerations=(_GPU_TOLERATION, *_tolerations(pool)),
            whole_cards_only=not pool.create,
        ),
        spot=_is_spot(pool),
    )
