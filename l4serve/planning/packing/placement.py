"""Proof that a stack's pods pack on its pools: CPU, memory, ephemeral storage, GPUs and pods per node.

A node counts as what GKE leaves of it less GKE's own daemonsets (`allocatable`, `daemonsets`). Beside the proof stand
the GPUs that no pod can use and the room that a rolling update finds, so that no rollout waits for a GPU that only the
pod it replaces can free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

from l4serve.config.frozen import frozen
from l4serve.config.refusals.problems import Problem
from l4serve.planning.machines.allocatable import Allocatable
from l4serve.planning.machines.shapes import MachineShape, all_shapes
from l4serve.planning.packing.bins import Filling, Item, Packing, Vector, fewest_nodes, fits, most, pack, spread
from l4serve.planning.packing.node_setup import DEFAULT_SETUP, NodeSetup
from l4serve.planning.packing.spare import SPARE_LIMIT, beside, rest_of
from l4serve.planning.values.note import Note
from l4serve.planning.values.quantity import GIB, format_cpu, round_gib


@frozen(kw_only=True)
class PodRequest:
    """What each of a workload's replicas asks of a node."""

    workload: str
    cpu_millis: int
    memory_bytes: int
    ephemeral_bytes: int
    gpus: int
    replicas: int
    node_pool: str | None = None
    """The pool that the pods select; None takes the first pool that holds them, fewest GPUs per node first."""

    @property
    def path(self) -> str:
        """YAML path of the workload."""
        return f"workloads.{self.workload}"

    @cached_property
    def size(self) -> Vector:
        """The request in the order of `RESOURCES`."""
        return (self.cpu_millis, self.memory_bytes, self.ephemeral_bytes, self.gpus, 1)


@frozen(kw_only=True)
class PoolRoom:
    """A pool: its machines, and how many of them there may be."""

    name: str
    shape: MachineShape
    max_nodes: int
    setup: NodeSetup = DEFAULT_SETUP

    @cached_property
    def node(self) -> Allocatable:
        """What one node leaves for workloads."""
        return self.setup.node(self.shape)

    @property
    def vector(self) -> Vector:
        """One node in the order of `RESOURCES`."""
        return _vector(self.node)


@frozen(kw_only=True)
class PoolPlacement:
    """Where the replicas land on one pool."""

    pool: str
    nodes: tuple[Mapping[str, int], ...]
    """Per node in use, how many pods of each workload it holds."""
    gpus_idle: int
    """GPUs of the nodes in use that no replica takes."""
    gpus_stranded: int
    """The idle GPUs that no further pod of these workloads could take either: CPU, memory or disk is gone."""
    order_matters: bool
    """The pods fit, but a scheduler that spreads the small ones first would leave a large one Pending."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """Pods that may block each other, and GPUs that nobody can use."""
        order = (
            "all replicas fit, but small pods that come first can leave a larger one Pending; "
            "give pods of different sizes pools of their own, or raise maxNodes"
        )
        idle = f"{self.gpus_stranded} of its GPUs stay idle: what is left of CPU, memory or disk holds no pod"
        told = ((self.order_matters, order), (self.gpus_stranded > 0, idle))
        return tuple(Note(f"nodePools.{self.pool}", text) for holds, text in told if holds)


@frozen(kw_only=True)
class Placement:
    """The outcome for a whole stack."""

    pools: tuple[PoolPlacement, ...]
    assigned: Mapping[str, str]
    """Pool of each workload that has one; of one on several pools, the last."""
    spare: Mapping[str, int]
    """Pods of each workload that fit beside all replicas of all workloads, at most `SPARE_LIMIT`."""
    refusals: tuple[Problem, ...]


RESOURCES = ("cpu", "memory", "ephemeralStorage", "gpus", "pods")
GPU_AXIS = RESOURCES.index("gpus")


def _vector(node: Allocatable) -> Vector:
    return (node.cpu_millis, node.memory_bytes, node.ephemeral_bytes, node.gpus, node.pods)


def place(pods: Sequence[PodRequest], pools: Sequence[PoolRoom]) -> Placement:
    """The placement of all replicas, or the reasons why some of them would stay Pending."""
    homes, refusals = _assign(pods, pools)
    placements: list[PoolPlacement] = []
    spare: dict[str, int] = {}
    for pool in pools:
        mine = [pod for pod, home in zip(pods, homes, strict=True) if home == pool.name]
        kinds = kinds_of(mine)
        packing = pack(kinds, pool.vector, pool.max_nodes)
        if packing is None:
            refusals.append(_pool_full(pool, mine))
            continue
        placements.append(_describe(pool, mine, packing))
        left = beside(kinds, pool.vector, pool.max_nodes, packing)
        spare_of = {kind.size: left.spare(kind.size) for kind in kinds}
        spare |= {pod.workload: spare_of[pod.size] for pod in mine}
    assigned = {pod.workload: home for pod, home in zip(pods, homes, strict=True) if home is not None}
    return Placement(pools=tuple(placements), assigned=assigned, spare=spare, refusals=tuple(refusals))


def spare_pods(pod: PodRequest, residents: Sequence[PodRequest], pool: PoolRoom) -> int:
    """How many more pods of a workload fit beside all replicas of the pool's workloads, at most `SPARE_LIMIT`."""
    return beside(kinds_of(residents), pool.vector, pool.max_nodes).spare(pod.size)


def pods_per_node(pod: PodRequest, node: Allocatable) -> int:
    """How many pods of a workload one empty node holds."""
    return most(pod.size, _vector(node), node.pods)


def stranded_gpus(pod: PodRequest, node: Allocatable) -> int:
    """GPUs of a node filled with pods of one workload that none of them can take."""
    return node.gpus - pods_per_node(pod, node) * pod.gpus


def _assign(pods: Sequence[PodRequest], pools: Sequence[PoolRoom]) -> tuple[list[str | None], list[Problem]]:
    """The pool of each pod, in their order; None where none holds it."""
    by_size = sorted(pools, key=lambda pool: (pool.shape.gpus, pool.shape.vcpus, pool.name))
    loads: dict[str, Counter[Vector]] = {pool.name: Counter() for pool in pools}
    homes: list[str | None] = [None] * len(pods)
    refusals: list[Problem] = []
    for index, pod in sorted(enumerate(pods), key=lambda entry: entry[1].node_pool is None):
        wanted = [pool for pool in by_size if pod.node_pool in (None, pool.name)]
        holds = [pool for pool in wanted if fits(pod.size, pool.vector)]
        if not holds:
            refusals.append(_too_large(pod, wanted))
            continue
        fit = (pool for pool in holds if len(holds) == 1 or _still_packs(pod, pool, loads[pool.name]))
        home = next(fit, holds[0]).name
        homes[index] = home
        loads[home][pod.size] += pod.replicas
    return homes, refusals


def _still_packs(pod: PodRequest, pool: PoolRoom, load: Counter[Vector]) -> bool:
    return pack(kinds_of_sizes(load + Counter({pod.size: pod.replicas})), pool.vector, pool.max_nodes) is not None


def kinds_of(pods: Iterable[PodRequest]) -> list[Item]:
    """The kinds of pods: workloads that ask for the same are one kind."""
    return kinds_of_sizes(sizes_of(pods))


def sizes_of(pods: Iterable[PodRequest]) -> Counter[Vector]:
    """How many replicas there are of each size, in the order of the pods."""
    load: Counter[Vector] = Counter()
    for pod in pods:
        load[pod.size] += pod.replicas
    return load


def kinds_of_sizes(load: Mapping[Vector, int]) -> list[Item]:
    """So many pods of each size as kinds."""
    return [Item(str(size), size, count) for size, count in load.items()]


def _describe(pool: PoolRoom, pods: Sequence[PodRequest], packing: Packing) -> PoolPlacement:
    items = kinds_of(pods)
    used = [node for node in packing.nodes if node]
    idle = stranded = 0
    for node in used:
        room = rest_of(items, node, pool.vector)
        free = room[GPU_AXIS]
        idle += free
        stranded += free - _usable_gpus(items, room) if free else 0
    return PoolPlacement(
        pool=pool.name,
        nodes=tuple(_dealt(items, pods, used)),
        gpus_idle=idle,
        gpus_stranded=stranded,
        order_matters=spread(items, pool.vector, [pool.vector] * pool.max_nodes) is None,
    )


def _dealt(items: Sequence[Item], pods: Sequence[PodRequest], nodes: Sequence[Filling]) -> Iterator[Mapping[str, int]]:
    """Per node, how many pods of each workload it holds, where a kind's pods go to its workloads in turn."""
    names: dict[Vector, list[str]] = {}
    for pod in pods:
        names.setdefault(pod.size, []).extend([pod.workload] * pod.replicas)
    waiting = [iter(names[item.size]) for item in items]
    for node in nodes:
        yield dict(Counter(name for kind, count in node for name in islice(waiting[kind], count)))


def _usable_gpus(items: Sequence[Item], room: Vector) -> int:
    """The most GPUs of a node's rest that pods of one of its kinds could still take."""
    return max((item.size[GPU_AXIS] * most(item.size, room, SPARE_LIMIT) for item in items), default=0)


def _too_large(pod: PodRequest, wanted: Sequence[PoolRoom]) -> Problem:
    if not wanted:
        message = "the pods need a GPU node and the stack has no such node pool: they would stay Pending"
        return Problem(f"{pod.path}.nodePool", message, "define one in nodePools, or name one that exists")
    pool = wanted[-1]
    short = [name for name, need, have in zip(RESOURCES, pod.size, pool.vector, strict=True) if need > have]
    resource = short[0]
    field = f"{pod.path}.gpus" if resource == "gpus" else f"{pod.path}.resources.requests.{resource}"
    message = (
        f"a pod asks for {_amount(resource, pod.size)} and a {pool.shape.machine_type} node of pool {pool.name!r} "
        f"leaves {_amount(resource, pool.vector)}: it would stay Pending"
    )
    return Problem(field, message, _larger(pod, pool, resource))


def _larger(pod: PodRequest, pool: PoolRoom, resource: str) -> str:
    if resource == "ephemeralStorage":
        return f"raise nodePools.{pool.name}.diskSizeGb or use localSsd, or lower the request"
    holds = (shape for shape in all_shapes(pool.shape.accelerator) if fits(pod.size, _vector(pool.setup.node(shape))))
    larger = min(holds, key=lambda shape: (shape.gpus, shape.vcpus), default=None)
    if larger is None:
        return f"ask for {_most(resource, pool.vector)} or less: no machine with this accelerator is large enough"
    return f"set nodePools.{pool.name}.machineType: {larger.machine_type}, or ask for {_most(resource, pool.vector)}"


def _pool_full(pool: PoolRoom, pods: Sequence[PodRequest]) -> Problem:
    total, kinds = sum(pod.replicas for pod in pods), kinds_of(pods)
    more = range(max(pool.max_nodes + 1, fewest_nodes(kinds, pool.vector)), pool.max_nodes + total + 1)
    enough = next((nodes for nodes in more if pack(kinds, pool.vector, nodes)), None)
    names = ", ".join(f"{pod.workload} x {pod.replicas}" for pod in pods)
    message = f"the replicas {names} do not pack on {pool.max_nodes} {pool.shape.machine_type} nodes: some stay Pending"
    remedy = f"set maxNodes: {enough}" if enough else "lower replicas, or split the workloads over two pools"
    return Problem(f"nodePools.{pool.name}.maxNodes", message, remedy)


def _most(resource: str, vector: Vector) -> str:
    """The most of a resource that a stack file can ask for and a node still has."""
    value = vector[RESOURCES.index(resource)]
    if resource == "cpu":
        return format_cpu(value)
    return str(value) if resource in ("gpus", "pods") else f"{value // GIB}Gi"


def _amount(resource: str, vector: Vector) -> str:
    value = vector[RESOURCES.index(resource)]
    if resource == "cpu":
        return f"{format_cpu(value)} CPU"
    return f"{value} {resource}" if resource in ("gpus", "pods") else f"{round_gib(value)} {resource}"
