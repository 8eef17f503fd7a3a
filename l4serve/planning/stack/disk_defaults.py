"""Sizes the boot disks of pools that leave it open: large enough for the weights and images of their workloads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step
from l4serve.config.keys.stack import StackConfig
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import ConfigError
from l4serve.engines.gpu_layout import GpuLayout, gpu_layout
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.machines.boot_disks import pool_disk_gb
from l4serve.planning.machines.gpus import card_of
from l4serve.planning.memory.host import unknown_checkpoint_needs
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.quantity import GIB, QuantityError, parse_bytes
from l4serve.planning.workload.nodes.node_choice import smallest_pool
from l4serve.planning.workload.pods.host_room import files_gib, pod_needs
from l4serve.planning.workload.pods.storage import sidecar_requests

Shapes = Mapping[str, Step[ModelShape | None]]


@frozen()
class _Housed:
    """A workload, and the pools whose nodes may get its pods."""

    name: str
    workload: Workload
    layout: GpuLayout
    pools: frozenset[str]


def with_disks(config: StackConfig, shapes: Shapes, pools: Sequence[PoolPlan]) -> tuple[PoolPlan, ...]:
    """The pools, with a disk that holds what their workloads write where the config states none.

    A pool whose nodes the stack only describes keeps its disk: it is there already.
    """
    housed = tuple(_housed(config, pools))
    return tuple(
        _with_disk(pool, tuple(_asked(pool, housed, shapes))) if _is_open(config, pool) else pool for pool in pools
    )


def _is_open(config: StackConfig, pool: PoolPlan) -> bool:
    return config.node_pools[pool.name].disk_size_gb is None and pool.create and not pool.ephemeral_ssds


def _with_disk(pool: PoolPlan, asked: Sequence[tuple[int, float]]) -> PoolPlan:
    """`asked` has, of each workload, its GPUs and the GiB that one pod writes."""
    # Each pod gets a share of the disk in whole GiB.
    on_one_node = [math.ceil(gib) * (pool.gpus // gpus) for gpus, gib in asked if gpus <= pool.gpus]
    return replace(pool, disks=replace(pool.disks, size_gb=pool_disk_gb(max(on_one_node, default=0.0))))


def _housed(config: StackConfig, pools: Sequence[PoolPlan]) -> Iterator[_Housed]:
    for name, workload in config.workloads.items():
        try:
            layout = gpu_layout(f"workloads.{name}", workload)
        except ConfigError:
            continue  # What is wrong with a workload is said where it is planned.
        yield _Housed(name, workload, layout, frozenset(_homes(workload, layout.gpus, pools)))


def _asked(pool: PoolPlan, housed: Sequence[_Housed], shapes: Shapes) -> Iterator[tuple[int, float]]:
    for each in (each for each in housed if pool.name in each.pools):
        try:
            yield each.layout.gpus, _disk_gib(each.workload, each.layout, shapes[each.name](), pool)
        except (ConfigError, QuantityError):
            continue


def _homes(workload: Workload, gpus: int, pools: Sequence[PoolPlan]) -> tuple[str, ...]:
    """The pools whose nodes may get the workload's pods."""
    if workload.compute_class is not None:
        return tuple(pool.name for pool in pools if pool.compute_class == workload.compute_class)
    if workload.node_pool is not None:
        return (workload.node_pool,)
    found = smallest_pool(pools, gpus)
    return (found.name,) if found else ()


def _disk_gib(workload: Workload, layout: GpuLayout, shape: ModelShape | None, pool: PoolPlan) -> float:
    asked = workload.resources.requests.ephemeral_storage or workload.resources.limits.ephemeral_storage
    if asked:
        return parse_bytes(asked) / GIB
    needs = pod_needs(workload, layout, shape)
    sidecar = sidecar_requests(workload, files_gib(workload, layout, shape, pool.shape))
    beside = sidecar.ephemeral_bytes / GIB if sidecar else 0.0
    if needs is not None:
        return beside + needs.ephemeral_gib
    card = card_of(pool.shape)
    return beside + (unknown_checkpoint_needs(workload.engine.kind, layout.gpus * card.total_gib) if card else 0.0)
