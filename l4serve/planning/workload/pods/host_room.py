"""Whether a pod has what it needs beside its GPUs: memory while it loads, /dev/shm, disk for the weights."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import ceil

from l4serve.config.gathering import refuse_all
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.model_location import buffer_gib, by_streamer
from l4serve.engines.releases.resolution import ContractError, resolve_contract
from l4serve.planning.machines.allocatable import pod_capacity
from l4serve.planning.machines.boot_disks import DEFAULT_BOOT_DISK_GB, pool_disk_gb
from l4serve.planning.machines.gpus import card_of
from l4serve.planning.machines.shapes import MachineShape, all_shapes
from l4serve.planning.memory.engine_memory import engine_memory
from l4serve.planning.memory.extra_flags import with_flags
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.host import (
    HostNeeds,
    checkpoint_gib,
    host_needs,
    largest_tensor_bytes,
    streamed,
    without_download,
)
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.identity import Same
from l4serve.planning.values.quantity import GIB
from l4serve.planning.workload.nodes.node_choice import Place
from l4serve.planning.workload.pods.pod_resources import PodResources

LARGEST_SWAP = 0.7
"""Of the node's memory."""


def pod_needs(workload: Workload, layout: GpuLayout, shape: ModelShape | None) -> HostNeeds | None:
    """What one pod of the workload needs beside its GPUs; None where nobody knows."""
    found = _needs_and_checkpoint(workload, layout, shape)
    if found is None:
        return None
    needs, checkpoint = found
    if workload.model.source is not None:
        needs = without_download(needs, checkpoint)
    if by_streamer(workload) and shape is not None:
        # Each rank is a process with a buffer of its own.
        needs = streamed(needs, layout.gpus * stream_buffer_gib(workload, shape))
    return needs


def weight_files_gib(workload: Workload, layout: GpuLayout, shape: ModelShape | None) -> float | None:
    """GiB of the model's weights as files; None where nobody knows."""
    found = _needs_and_checkpoint(workload, layout, shape)
    return found[1] if found else None


def files_gib(workload: Workload, layout: GpuLayout, shape: ModelShape | None, machine: MachineShape) -> float:
    """GiB of the weights as files; of a model that nobody described, as much as the machine's cards hold."""
    known, card = weight_files_gib(workload, layout, shape), card_of(machine)
    return known if known is not None else layout.gpus * card.total_gib if card else 0.0


def stream_buffer_gib(workload: Workload, shape: ModelShape | None) -> float:
    """GiB of host memory through which a rank streams its weights; never less than the largest tensor."""
    return buffer_gib(workload.engine.kind, largest_tensor_bytes(shape) if shape else 0)


def _needs_and_checkpoint(
    workload: Workload, layout: GpuLayout, shape: ModelShape | None
) -> tuple[HostNeeds, float] | None:
    """What a pod needs that downloads its weights, and their size in GiB."""
    return _of_the_same(Same(workload), layout, Same(shape)) if shape is not None else None


@lru_cache(maxsize=4096)
def _of_the_same(
    workload: Same[Workload], layout: GpuLayout, shape: Same[ModelShape]
) -> tuple[HostNeeds, float] | None:
    """The same, worked out once: pools, disks and pods ask it of each workload."""
    engine = workload.value.engine
    try:
        options = engine_memory(engine.kind).options(engine, layout)
        contract = resolve_contract(engine.kind, engine.version, engine.contract).contract
        options = with_flags(options, workload.value.extra_args, workload.value.extra_env, contract)
        return host_needs(shape.value, options), checkpoint_gib(shape.value, options)
    except (MemoryModelError, ContractError):
        return None


def host_notes(
    path: str, workload: Workload, needs: HostNeeds | None, place: Place, resources: PodResources
) -> tuple[str, ...]:
    """Warnings about what the pod has beside its GPUs; raises ConfigError for what kills or evicts it."""
    if needs is None:
        return ()
    problems = tuple(_problems(path, workload, needs, place, resources))
    if workload.fit == "refuse":
        refuse_all(problems)
    worse = tuple(problem.message for problem in problems)
    warned = needs.warnings(memory_gib=resources.limits.memory_bytes / GIB, shm_gib=resources.shm_bytes / GIB)
    return (*worse, *warned)


def _problems(
    path: str, workload: Workload, needs: HostNeeds, place: Place, resources: PodResources
) -> Iterator[Problem]:
    """What kills or evicts the pod while it loads: memory or disk below what model and engine are known to take."""
    memory, disk = resources.limits.memory_bytes / GIB, resources.limits.ephemeral_bytes / GIB
    if memory < needs.minimum_memory_gib:
        yield _memory_problem(path, workload, needs, place, resources, memory)
    if disk < needs.ephemeral_gib:
        yield _disk_problem(path, workload, needs, place, resources, disk)
    yield from _swap_problem(path, workload, place, resources.gpus)


def _swap_problem(path: str, workload: Workload, place: Place, gpus: int) -> Iterator[Problem]:
    """Host memory that an engine sets aside for swapped cache, of which it takes no more than a share of the node's.

    Source: `verify_with_parallel_config` of vllm/config/cache.py, from 0.8 until the flag went with 0.18.
    """
    asked = vars(workload.engine).get("swap_space")
    most = LARGEST_SWAP * place.shape.memory_gib
    shards = gpus // (vars(workload.engine).get("pipeline_parallel_size") or 1)
    if asked is not None and asked * shards > most:
        message = f"{asked * shards:g} GiB of swap space are more than {most:.1f} GiB, 70 % of the node's memory"
        yield Problem(
            f"{path}.engine.swapSpace",
            f"{message}: the server refuses to start",
            f"set {path}.engine.swapSpace: {int(most / shards)}, or remove it",
        )


def _memory_problem(
    path: str, workload: Workload, needs: HostNeeds, place: Place, resources: PodResources, limit: float
) -> Problem:
    wanted, gpus, beside = ceil(needs.memory_gib), resources.gpus, resources.beside
    message = f"{needs.memory_shortage(limit)}"
    left = place.capacity(gpus).memory_bytes - beside.memory_bytes
    holds, most = left >= ceil(needs.minimum_memory_gib) * GIB, left // GIB
    stated = _stated(workload, "memory")
    if holds and stated:
        return Problem(f"{path}.resources.{stated}.memory", message, _set(path, stated, "memory", min(wanted, most)))
    where = f"nodePools.{place.pool.name}.machineType" if place.pool else f"{path}.gpus"
    larger = _larger_machine(place, gpus, needs.minimum_memory_gib + beside.memory_bytes / GIB)
    remedy = f"set nodePools.{place.pool.name}.machineType: {larger}" if larger and place.pool else "ask for more GPUs"
    if stated:
        remedy += f", and {_set(path, stated, 'memory', wanted)}"
    return Problem(where, message, remedy)


def _disk_problem(
    path: str, workload: Workload, needs: HostNeeds, place: Place, resources: PodResources, limit: float
) -> Problem:
    gpus, kept = resources.gpus, resources.beside.ephemeral_bytes
    wanted, stated = ceil(needs.ephemeral_gib), _stated(workload, "ephemeral_storage")
    message = f"{needs.disk_shortage(limit)}"
    asked = _set(path, stated or "requests", "ephemeralStorage", wanted)
    if place.pool is None or place.capacity(gpus).ephemeral_bytes >= wanted * GIB + kept:
        return Problem(f"{path}.resources.{stated or 'requests'}.ephemeralStorage", message, asked)
    at = f"nodePools.{place.pool.name}.diskSizeGb"
    grown = f"set {at}: {pool_disk_gb((wanted + ceil(kept / GIB)) * (place.shape.gpus // gpus))}"
    return Problem(at, message, f"{grown}, and {asked}" if stated else grown)


def _set(path: str, part: str, resource: str, gib: int) -> str:
    return f"set {path}.resources.{part}.{resource}: {gib}Gi"


def _stated(workload: Workload, resource: str) -> str | None:
    """Which part of the config says the amount, or None: the limit decides, so it comes first."""
    parts = (("limits", workload.resources.limits), ("requests", workload.resources.requests))
    return next((name for name, amounts in parts if getattr(amounts, resource)), None)


def _larger_machine(place: Place, gpus: int, memory_gib: float) -> str | None:
    disk = place.pool.disks.size_gb if place.pool else DEFAULT_BOOT_DISK_GB
    for shape in sorted(all_shapes(place.shape.accelerator), key=lambda s: (s.gpus, s.vcpus)):
        if shape.gpus >= gpus and pod_capacity(shape, gpus, boot_disk_gib=disk).memory_bytes >= memory_gib * GIB:
            return shape.machine_type
    return None
