"""Refits the memory model's constants from the parts that engines printed, and judges each family without its data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from statistics import median

from benchmarks.estimators.cases import Case
from benchmarks.estimators.tools import Answer, ask_own_model
from components.planning.memory.activation import forward_peak_bytes, sampler_peak_bytes
from components.planning.memory.constants import Constants, fitted_constants
from components.planning.memory.generations import GIB, vllm_generation
from components.planning.memory.quantizations import activation_dtype, dtype_bytes
from components.planning.memory.vllm import batch_limits, captured_graphs

Evidence = Mapping[str, list[float]]


def cross_validate(cases: tuple[Case, ...], everything: tuple[Case, ...]) -> dict[str, Answer]:
    """Answers of constants that were refitted without any case of the same architecture."""
    answers: dict[str, Answer] = {}
    for family in {case.family for case in cases}:
        constants = refit(case for case in everything if case.family != family)
        answers |= ask_own_model(tuple(case for case in cases if case.family == family), constants)
    return answers


def refit(cases: Iterable[Case]) -> Constants:
    """Every fitted constant as the median of what the cases say of it; one without evidence keeps its value."""
    known = fitted_constants()
    evidence: dict[str, list[float]] = {}
    for case in cases:
        for key, value in _evidence(case, known):
            evidence.setdefault(key, []).append(value)

    def pick(prefix: str, current: Mapping[str, float]) -> dict[str, float]:
        return {name: _median(evidence, f"{prefix}.{name}", value) for name, value in current.items()}

    return replace(
        known,
        hidden_buffers=_median(evidence, "hidden_buffers", known.hidden_buffers),
        sampler_bytes=pick("sampler", known.sampler_bytes),
        non_torch_gib=pick("non_torch", known.non_torch_gib),
        graph_mib_per_layer_graph=_median(evidence, "graphs", known.graph_mib_per_layer_graph),
    )


def _median(evidence: Evidence, key: str, fallback: float) -> float:
    return median(evidence[key]) if evidence.get(key) else fallback


def _evidence(case: Case, known: Constants) -> Iterable[tuple[str, float]]:
    """What one case says of each constant that dominates one of its parts."""
    parts, options = case.parts, case.options
    ranks = options.tensor_parallel_size * options.pipeline_parallel_size
    if "non_torch_gib" in parts:
        yield f"non_torch.{'single' if ranks == 1 else 'parallel'}", parts["non_torch_gib"]
    if "peak_activation_gib" in parts:
        yield from _activation_evidence(case, known, parts["peak_activation_gib"] * GIB)
    if parts.get("graphs_gib"):
        generation = vllm_generation(options.engine_version, case.gpu.compute_capability)
        limits = batch_limits(case.model, case.gpu, options, generation)
        graphs = captured_graphs(options, generation, limits) * case.model.num_hidden_layers
        yield "graphs", parts["graphs_gib"] * 1024 / graphs


def _activation_evidence(case: Case, known: Constants, observed: float) -> Iterable[tuple[str, float]]:
    model, options = case.model, case.options
    generation = vllm_generation(options.engine_version, case.gpu.compute_capability)
    limits = batch_limits(model, case.gpu, options, generation)
    element = dtype_bytes(activation_dtype(model, options))
    tokens, rows = limits.batched_tokens, min(limits.seqs, limits.batched_tokens)
    kind = "v2" if generation.runner_for(model) == "v2" else generation.sampler
    forward = partial(forward_peak_bytes, model, tokens, options.tensor_parallel_size, element)
    sampler = sampler_peak_bytes(model, rows, tokens, element, known.sampler_bytes[kind])
    if forward(known) >= sampler:
        bare = forward(replace(known, hidden_buffers=0.0))
        yield "hidden_buffers", (observed - bare) / (tokens * element * model.hidden_size)
    else:
        yield f"sampler.{kind}", (observed - tokens * model.hidden_size * element) / (rows * model.vocab_size)
