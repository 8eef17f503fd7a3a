"""Refits the memory model's constants from the parts that engines printed, and judges each family without its data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from statistics import median

from benchmarks.estimators.cases import Case
from benchmarks.estimators.tools import Answer, ask_own_model
from l4serve.planning.memory.activation import (
    compiled_peak_bytes,
    expert_workspace_bytes,
    forward_peak_bytes,
    sampler_peak_bytes,
)
from l4serve.planning.memory.constants import Constants, fitted_constants
from l4serve.planning.memory.generations import Generation, vllm_generation
from l4serve.planning.memory.graphs import captured_graphs, graph_gib
from l4serve.planning.memory.vllm import batch_limits
from l4serve.planning.memory.vllm_activations import asked, logit_bytes, tower_gib
from l4serve.planning.values.quantity import GIB

Evidence = Mapping[str, list[float]]
# What one would take without any measurement: textbook buffers.
PRIORS = {
    "hidden": 4.0,
    "compiled": 2.0,
    "sampler.v1": 14.0,
    "sampler.v1_twice": 14.0,
    "sampler.v2": 4.0,
    "sampler.rejection": 14.0,
    "tower": 12.0,
}


def cross_validate(cases: tuple[Case, ...], everything: tuple[Case, ...]) -> dict[str, Answer]:
    """Answers of constants that were refitted without any case of the same architecture."""
    answers: dict[str, Answer] = {}
    for family in {case.family for case in cases}:
        constants = refit(case for case in everything if case.family != family)
        answers |= ask_own_model(tuple(case for case in cases if case.family == family), constants)
    return answers


def refit(cases: Iterable[Case]) -> Constants:
    """Every constant that boot logs decide, as the median of what the cases say of it, or its prior."""
    known = fitted_constants()
    evidence: dict[str, list[float]] = {}
    for case in cases:
        for key, value in _evidence(case, known):
            evidence.setdefault(key, []).append(value)

    def pick(prefix: str, current: Mapping[str, float]) -> dict[str, float]:
        return {name: _median(evidence, f"{prefix}.{name}", value) for name, value in current.items()}

    graphs = _median(evidence, "graphs", 1.0)
    return replace(
        known,
        hidden_buffers=_median(evidence, "hidden", known.hidden_buffers),
        compiled_hidden_buffers=_median(evidence, "compiled", known.compiled_hidden_buffers),
        tower_hidden_buffers=_median(evidence, "tower", known.tower_hidden_buffers),
        sampler_bytes=pick("sampler", known.sampler_bytes),
        non_torch_gib=pick("non_torch", known.non_torch_gib),
        graph_mib={name: value * graphs for name, value in known.graph_mib.items()},
    )


def _median(evidence: Evidence, key: str, fallback: float) -> float:
    return median(evidence[key]) if evidence.get(key) else PRIORS.get(key, fallback)


def _evidence(case: Case, known: Constants) -> Iterable[tuple[str, float]]:
    """What one case says of each constant that dominates one of its parts."""
    parts, options, model = case.parts, case.options, case.model
    fp8_cache = (options.kv_cache_dtype or "auto").startswith("fp8")
    generation = vllm_generation(options.engine_version, case.gpu.compute_capability, fp8_cache=fp8_cache)
    ranks = options.tensor_parallel_size * options.pipeline_parallel_size
    if "non_torch_gib" in parts:
        single = "single" if ranks == 1 else "parallel"
        yield f"non_torch.{generation.overheads}.{single}", parts["non_torch_gib"]
    # The buffers of some towers rest on one family, so no fold refits them.
    tower = case.model.vision
    alone = tower is not None and (tower.masked_patches or tower.frames or tower.words or tower.copies is not None)
    if "peak_activation_gib" in parts and not generation.counts_reserved_cache and not alone:
        yield _activation_evidence(case, known, generation, parts["peak_activation_gib"] * GIB)
    if "cuda_graph_gib" in parts and not fp8_cache:
        sizes = captured_graphs(options, generation, batch_limits(model, options, generation))
        yield "graphs", parts["cuda_graph_gib"] / graph_gib(sizes, model.num_hidden_layers, known)


def _activation_evidence(case: Case, known: Constants, generation: Generation, observed: float) -> tuple[str, float]:
    """The constant behind the largest of the peaks, as this case's activation says it."""
    model, options = case.model, case.options
    limits = batch_limits(model, options, generation)
    question = asked(model, case.gpu, options, known, generation, limits)
    element, tokens, tp = question.element, limits.batched_tokens, options.tensor_parallel_size
    hidden = tokens * model.hidden_size * element
    workspace = known.matmul_workspace_mib["other"] * 2**20
    forward = partial(forward_peak_bytes, model, tokens, tp, element, context_rows=question.context_rows)
    compiled = partial(compiled_peak_bytes, model, tokens, tp, element)
    experts = expert_workspace_bytes(model, tokens, tp, element)
    sampler = (
        0.0
        if options.pooling
        else experts + sampler_peak_bytes(model, question.rows, tokens, element, logit_bytes(question))
    )
    tower, _ = tower_gib(question)
    profiled = generation.profiles_encoder(question.runner) and not options.skip_multimodal_profiling
    if profiled and tower * GIB > max(forward(known), sampler) + workspace:
        wider = replace(known, tower_hidden_buffers=known.tower_hidden_buffers + 1)
        each = tower_gib(replace(question, constants=wider))[0] - tower
        return "tower", known.tower_hidden_buffers + (observed / GIB - tower) / each
    compiles = generation.compiles and not options.enforce_eager and not model.extra_parameters
    if compiles and compiled(known) >= max(forward(known), sampler) + workspace:
        return "compiled", (observed - compiled(replace(known, compiled_hidden_buffers=0.0))) / hidden
    if forward(known) >= sampler:
        return "hidden", (observed - workspace - forward(replace(known, hidden_buffers=0.0))) / hidden
    each = (observed - workspace - hidden - experts) / (question.rows * model.vocab_size)
    if question.runner == "v2":
        return "sampler.v2", each
    if options.num_speculative_tokens:
        return "sampler.rejection", each - known.sampler_bytes[generation.sampler_of(question.options)]
    return f"sampler.{generation.sampler_of(question.options)}", each
