"""How each vLLM release accounts for memory: `data/vllm_generations.json` read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Literal

from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.engines.cards import card_features
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.model_shape import ModelShape

LAST_V0_RELEASE = "0.7.3"

Runner = Literal["v0", "v1", "v2"]


class MemoryModelError(ValueError):
    """A question that the memory model cannot answer; the message says what is missing and what to give instead."""


@frozen()
class Generation:
    """One release's rules. `runner` is what serves a model that the release's V2 runner does not take."""

    runner: Runner
    v2_architectures: frozenset[str]
    v2_dense: bool
    v2_all: bool
    v2_excluded_drafts: frozenset[str]
    v2_profiles_encoder: bool
    v2_offloads: bool
    default_utilization: float
    default_seqs: int
    default_batched_tokens: int
    chunked_prefill_default: bool
    chunked_prefill_above: int
    chunked_batched_tokens: int
    v0_below_capability: tuple[int, int] | None
    v0_for_fp8_cache_without_flash_attention: bool
    online_fp8: Literal["after", "beside", "streams"]
    loads_unsplit: bool
    sliding_window_cache: Literal["full", "groups"]
    chunked_cache: Literal["full", "groups"]
    graphs_accounted: bool
    v2_graphs_accounted: bool
    sampler: str
    sampler_without_flashinfer: str | None
    overheads: Literal["early", "middle", "late"]
    counts_context: bool
    compiles: bool
    flashinfer_workspace_mib: int
    frame_share: float
    looks_up_positions: bool
    video_frames: int
    video_beside_image: bool
    expands_outputs: bool
    hybrid_prefix_caching: bool
    prefix_states: Literal["all", "align"]
    graph_ceiling: int
    graph_seqs_factor: int
    graph_step: int
    in_flight_batches: int
    schedules_ahead: bool
    token_report: Literal["blocks", "capacity"]
    counts_reserved_cache: bool
    demands_states: Literal["none", "captured", "all"]
    bounds_state_blocks: bool
    demands_all_stages: bool
    whole_items: Literal["split", "refused", "held"]
    whole_pictures: bool
    masks_patches: bool
    profiles_context: bool
    embeds_in_graph: bool
    towers_left_out: frozenset[str] | None
    """Classes whose towers are not loaded where all limits on what they encode are 0; None for every class."""

    def groups_sliding(self, model: ModelShape, options: ServingOptions) -> bool:
        """Whether sliding layers have blocks of their own; those that see chunks have none beside an EAGLE head."""
        if model.sees_chunks:
            drafted = (options.speculative_method or "").startswith("eagle")
            return options.groups_layers and self.chunked_cache == "groups" and not drafted
        return options.groups_layers and self.sliding_window_cache == "groups"

    def runner_for(self, model: ModelShape, options: ServingOptions) -> Runner:
        """The model runner that this release picks for the model; V1 where V2 lacks what is asked of it."""
        if self.runner != "v0" and options.v2_model_runner is not None:
            return "v2" if options.v2_model_runner else "v1"
        if (options.pooling and not self.v2_all) or options.speculative_method in self.v2_excluded_drafts:
            return self.runner
        dense = self.v2_dense and not model.is_moe and not model.is_hybrid
        if self.v2_all or dense or model.architecture in self.v2_architectures:
            return "v2"
        return self.runner

    def profiles_encoder(self, runner: Runner) -> bool:
        """Whether the profile run that sizes the cache also runs the vision or audio tower."""
        return self.v2_profiles_encoder if runner == "v2" else True

    def leaves_tower_out(self, architecture: str) -> bool:
        """Whether a class loads no tower where all limits on what it encodes are 0."""
        return self.towers_left_out is None or architecture in self.towers_left_out

    def offloads_weights(self, runner: Runner) -> bool:
        """Whether `--cpu-offload-gb` moves weights; V2 before 0.28 takes the flag and never makes the offloader."""
        return self.v2_offloads if runner == "v2" else True

    def caches_prefixes(self, model: ModelShape, options: ServingOptions) -> bool:
        """Whether states of linear-attention layers are kept for prefixes, unasked or as the operator says."""
        asked = options.enable_prefix_caching
        return (
            self.hybrid_prefix_caching and model.is_hybrid and model.attends and not options.pooling
            if asked is None
            else asked
        )

    def sampler_of(self, options: ServingOptions) -> str:
        """What sorts or filters logits, as `samplerBytes` names it: the image's own, unless the environment says so."""
        if self.sampler_without_flashinfer is None or options.flashinfer_sampler is None:
            return self.sampler
        return "v1" if options.flashinfer_sampler else self.sampler_without_flashinfer

    def accounts_for_graphs(self, runner: Runner) -> bool:
        """Whether CUDA graphs are paid for from the cache's share, not from what utilisation leaves over."""
        return self.v2_graphs_accounted if runner == "v2" else self.graphs_accounted


@lru_cache(maxsize=1024)
def parse_version(version: str) -> tuple[int, int, int]:
    """The first three numbers of a release. Raises MemoryModelError when there are none."""
    match = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", version.strip())
    if match is None:
        raise MemoryModelError(f"engine version {version!r} is not a release number; give one such as 0.26.0")
    return int(match[1]), int(match[2]), int(match[3] or 0)


@frozen()
class TgiGeneration:
    """One TGI release's rules: the share of memory it leaves free, and what its warm-up prefill allocates."""

    wiggle_room: float
    wiggle_on_total: bool
    prefill_logit_bytes: float
    default_total_tokens: int | None
    prefill_from_compute: bool
    prefill_margin: int
    pair_bytes: int
    score_bytes: int


def vllm_generation(
    version: str, capability: tuple[int, int] | None = None, *, fp8_cache: bool = False, by_v0: bool = False
) -> Generation:
    """The rules that hold for this vLLM release, on a card of this compute capability where that matters.

    `by_v0` is whether a release with both engines serves by V0 for what its settings are.
    """
    generation = _vllm_generation(version)
    if by_v0 and generation.runner != "v0":
        return _vllm_generation(LAST_V0_RELEASE)
    if capability is None:
        return generation
    old = generation.v0_below_capability is not None and capability < generation.v0_below_capability
    unread = generation.v0_for_fp8_cache_without_flash_attention and fp8_cache and not _reads_fp8(version, capability)
    return _vllm_generation(LAST_V0_RELEASE) if old or unread else generation


def _reads_fp8(version: str, capability: tuple[int, int]) -> bool:
    """Whether FlashAttention reads an FP8 cache on the card; where nobody knows, it is taken to."""
    return kernels("vllm", version, capability)["fp8FlashAttention"] is not False


def kernels(engine: str, version: str, capability: tuple[int, int]) -> Mapping[str, bool | None]:
    """What the release's kernels do on a card, as `card_features` has it."""
    return card_features(engine, Version(".".join(map(str, parse_version(version)))), capability)


@cache
def _vllm_generation(version: str) -> Generation:
    values = _merged("vllm", version)
    below = values["v0_below_capability"]
    values["v0_below_capability"] = tuple(below) if below else None
    for key in ("v2_architectures", "v2_excluded_drafts", "towers_left_out"):
        values[key] = None if values[key] is None else frozenset(values[key])
    return Generation(**values)


def masks_pairs(architecture: str) -> bool:
    """Whether TGI prefills a class under a mask of every pair of a prompt's tokens."""
    return architecture in load_data(__file__, "tgi_generations.json")["masked"]["architectures"]


@cache
def tgi_generation(version: str) -> TgiGeneration:
    """The rules that hold for this TGI release."""
    return TgiGeneration(**_merged("tgi", version))


def _merged(engine: str, version: str) -> dict[str, Any]:
    wanted = parse_version(version)
    merged: dict[str, Any] = {}
    for entry in load_data(__file__, f"{engine}_generations.json")["generations"]:
        if parse_version(entry["from"]) <= wanted:
            merged |= entry
    return {_snake(key): value for key, value in merged.items() if key != "from"}


def _snake(key: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", key).lower()
