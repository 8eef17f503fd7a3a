"""Which of the two engines of vLLM 0.8 to 0.10 serves a workload, as far as its settings decide it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.planning.memory.generations import parse_version
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import activation_dtype
from l4serve.planning.models.model_shape import ModelShape

BOTH_ENGINES = (0, 8, 0), (0, 11, 0)
"""From the first release whose default is V1 up to the first without V0."""


@cache
def fallback_table() -> dict[str, Any]:
    """`data/vllm_v0_fallback.json`."""
    table: dict[str, Any] = load_data(__file__, "vllm_v0_fallback.json")
    return table


def serves_by_v0(model: ModelShape, options: ServingOptions) -> bool:
    """Whether V0 serves the workload for its settings' sake; the card's are the generation's matter."""
    first, after = BOTH_ENGINES
    version = parse_version(options.engine_version)
    if not first <= version < after:
        return version < first
    if options.v1_engine is not None:
        return not options.v1_engine
    return any(version < parse_version(until) for until in _reasons(model, options))


def swap_gib(model: ModelShape, options: ServingOptions) -> float:
    """Host memory that one GPU's worker pins for swapped cache; V1 has none."""
    if not serves_by_v0(model, options):
        return 0.0
    return float(fallback_table()["swapGib"]) if options.swap_gib is None else options.swap_gib


def reads_flag(flag: str, value: str | None, version: str) -> bool:
    """Whether this value of a flag makes the release fall back to V0."""
    until, harmless = fallback_table()["flags"][flag]
    return value != harmless and BOTH_ENGINES[0] <= parse_version(version) < parse_version(until)


def _reasons(model: ModelShape, options: ServingOptions) -> Iterator[str]:
    """The first release that no longer falls back, for each reason to."""
    table = fallback_table()
    if options.asks_for_v0:
        yield ".".join(map(str, BOTH_ENGINES[1]))
    if model.architecture in table["architectures"]:
        yield table["architectures"][model.architecture]
    if options.pooling:
        yield table["pooling"]
    if activation_dtype(model, options) == "float32":
        yield table["float32"]
    if options.cpu_offload_gib:
        yield table["cpuOffload"]
    if options.lora is not None:
        yield table["lora"]
    if options.pipeline_parallel_size > 1:
        yield table["pipeline"]
    stored = options.quantization or (model.quantization.method if model.quantization else None)
    if stored in table["quantization"]:
        yield table["quantization"][stored]
    if options.num_speculative_tokens:
        known = table["draftsOfV1"].items()
        yield next((since for since, names in known if options.speculative_method in names), table["drafts"])
