"""What a pod needs beside its GPU: CPU memory while it loads, /dev/shm, and disk for weights and image."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.planning.memory.engine_memory import engine_memory
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.weights import checkpoint_bytes
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.quantity import GIB


@frozen(kw_only=True)
class HostNeeds:
    """GiB for one pod.

    `minimum_memory_gib` is resident memory below which the kernel kills the engine, offloaded weights and cache and
    V0's swap space included; `memory_gib` adds one checkpoint shard in the page cache, without which loading crawls.
    `shm_gib` counts towards memory when /dev/shm is a memory-backed volume. `ephemeral_gib` is what the pod itself
    writes (weights and compile caches); `node_disk_gib` adds the unpacked image, which lies on the node's disk.
    """

    minimum_memory_gib: float
    memory_gib: float
    shm_gib: float
    ephemeral_gib: float
    node_disk_gib: float

    def memory_shortage(self, limit_gib: float) -> str | None:
        """Why the kernel kills an engine that loads with this limit; None where it does not."""
        return _short(limit_gib, self.minimum_memory_gib, "memory", "the engine is killed (OOMKilled) while it loads")

    def disk_shortage(self, limit_gib: float) -> str | None:
        """Why a pod with this limit is evicted; None where it is not."""
        outcome = "the pod is evicted while it downloads the model"
        return _short(limit_gib, self.ephemeral_gib, "ephemeral storage", outcome)

    def warnings(self, *, memory_gib: float, shm_gib: float) -> tuple[str, ...]:
        """What works badly with these limits in GiB: loading that crawls, /dev/shm that several ranks may overrun."""
        slow = "weights are read from disk again and again while they load; starting takes much longer"
        found = (
            _short(memory_gib, self.memory_gib, "memory", slow),
            _short(shm_gib, self.shm_gib, "shared memory", "tensor parallel ranks may stop with a bus error"),
        )
        return tuple(warning for warning in found if warning)


def _short(limit: float | None, need: float, what: str, outcome: str) -> str | None:
    if limit is None or limit >= need:
        return None
    digits = next(count for count in range(1, 10) if f"{limit:.{count}f}" != f"{need:.{count}f}" or count == 9)
    # A forgotten Gi leaves bytes, which are no part of a GiB that anybody would see.
    given = f"{limit:.{digits}f} GiB" if limit >= 0.05 else f"{round(limit * 2**30)} bytes"
    amounts = f"{what} of {given} is below the {need:.{digits}f} GiB"
    return f"{amounts} that this model and engine need: {outcome}"


def host_needs(model: ModelShape, options: ServingOptions) -> HostNeeds:
    """What a pod that serves the model with these options needs beside its GPUs."""
    table = _table()
    engine = table["engines"][options.engine]
    ranks = options.tensor_parallel_size * options.pipeline_parallel_size
    checkpoint = checkpoint_gib(model, options)
    shm = table["sharedMemoryGib"]["single" if ranks == 1 else "parallel"]
    kept = (
        ranks * (options.cpu_offload_gib + engine_memory(options.engine).swap_gib(model, options))
        + options.kv_offloading_gib
    )
    minimum = engine["serverGib"] + ranks * engine["workerGib"] + (shm if ranks > 1 else 0.0) + kept
    ephemeral = checkpoint + engine["scratchGib"]
    return HostNeeds(
        minimum_memory_gib=minimum,
        memory_gib=minimum + min(checkpoint, table["shardGib"]),
        shm_gib=shm,
        ephemeral_gib=ephemeral,
        node_disk_gib=ephemeral + engine["imageGib"],
    )


def without_download(needs: HostNeeds, checkpoint: float) -> HostNeeds:
    """The needs of a pod whose weights, `checkpoint` GiB, lie on a volume in place of its own disk."""
    return replace(
        needs,
        ephemeral_gib=needs.ephemeral_gib - checkpoint,
        node_disk_gib=needs.node_disk_gib - checkpoint,
    )


def streamed(needs: HostNeeds, buffers_gib: float) -> HostNeeds:
    """The needs of an engine that reads its weights through buffers of so many GiB: no page cache holds a file of them.

    Source: https://github.com/run-ai/runai-model-streamer/blob/master/docs/src/env-vars.md
    """
    least = needs.minimum_memory_gib + buffers_gib
    return replace(needs, minimum_memory_gib=least, memory_gib=least)


def largest_tensor_bytes(model: ModelShape) -> int:
    """Bytes of the embedding in 16 bits, which no other tensor of a decoder exceeds."""
    return 2 * model.vocab_size * model.hidden_size


def checkpoint_gib(model: ModelShape, options: ServingOptions) -> float:
    """GiB of weight files that the engine downloads: the published size, or the stored format of the parameters.

    A model that the engine quantises while loading is downloaded in its own dtype.
    """
    if model.checkpoint_bytes is not None:
        return model.checkpoint_bytes / GIB
    vllm_name = options.quantization if options.engine == "vllm" else None
    return checkpoint_bytes(model, vllm_name) / GIB


def image_gib(engine: str) -> float:
    """GiB of the engine's image on a node's disk, unpacked."""
    return float(_table()["engines"][engine]["imageGib"])


def unknown_checkpoint_needs(engine: str, cards_gib: float) -> float:
    """GiB that a pod writes whose model nobody described: as much as its cards hold, and the engine's caches."""
    return float(cards_gib + _table()["engines"][engine]["scratchGib"])


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = load_data(__file__, "host.json")
    return table
