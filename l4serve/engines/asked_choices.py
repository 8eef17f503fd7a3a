"""What a workload asks of a release beside its fields, and what the release takes where nothing is asked (vLLM)."""

from collections.abc import Iterator, Mapping
from typing import Any

from l4serve.engines.arguments.compilation import compilation
from l4serve.engines.case import Case
from l4serve.engines.releases.contract import next_release_serving
from l4serve.engines.releases.profile import engine_profile

_BASE = ("all", "none")
"""Words of custom_ops that name every operator, of which one may stand."""


def choice_facts(case: Case) -> Mapping[str, Any]:
    """Sequences by default, the engine and runner that variables ask for, and what custom_ops contradicts."""
    asked = compilation(case.engine, case.extra_args).get("custom_ops")
    operators = tuple(map(str, asked)) if isinstance(asked, list | tuple) else ()
    runner, engine = case.extra_env.get("VLLM_USE_V2_MODEL_RUNNER"), case.extra_env.get("VLLM_USE_V1")
    return {
        "v1.off": True if engine == "0" else None,
        "v1.asked": True if engine == "1" else None,
        "model.firstRelease": _first_release(case),
        "sequences.default": _default_sequences(case),
        "v2.asked": True if runner == "1" else None,
        "workers.spawned": case.extra_env.get("VLLM_WORKER_MULTIPROC_METHOD") == "spawn",
        "customOps.malformed": next(_malformed(operators), None),
        "customOps.bases": sum(word in _BASE for word in operators) or None,
        "customOps.bothWays": next(_both_ways(operators), None),
    }


def step_facts(case: Case, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Tokens that a step holds, by default where nothing is asked, and those of the drafts of a whole batch.

    `draft.besideShards` are the tokens of one sequence with drafts where neither they nor the shards divide the other.
    """
    memory = case.gpu.memory_gib
    limits = case.contract.batch_limits_for(memory, case.gpu.name) if memory else None
    sequences = asked["maxNumSeqs"] or (limits.max_num_seqs if limits else None)
    drafts = asked["speculative.numSpeculativeTokens"]
    tokens = drafts + 1 if isinstance(drafts, int) else None
    less, more = sorted((tokens or 1, case.layout.tensor_parallel_size))
    return {
        "step.tokens": asked["maxNumBatchedTokens"] or (limits.max_num_batched_tokens if limits else None),
        "draft.step": sequences * tokens if sequences and tokens else None,
        "graphs.default": 2 * sequences if sequences else None,
        "draft.tokens": tokens,
        "draft.besideShards": tokens if more % less else None,
    }


def _first_release(case: Case) -> str | None:
    """The next release that has a class of the model, which this one lacks."""
    architecture = case.model.architecture
    if architecture is None or engine_profile(case.engine.kind).architecture_names != "classes":
        return None
    return next_release_serving(case.engine.kind, architecture, case.contract.version)


def _default_sequences(case: Case) -> int | None:
    memory = case.gpu.memory_gib
    limits = case.contract.batch_limits_for(memory, case.gpu.name) if memory else None
    return limits.max_num_seqs if limits else None


def _malformed(operators: tuple[str, ...]) -> Iterator[str]:
    return (word for word in operators if word not in _BASE and (len(word) < 2 or word[0] not in "+-"))


def _both_ways(operators: tuple[str, ...]) -> Iterator[str]:
    """Operators that are turned on and off."""
    return (word[1:] for word in operators if word[:1] == "+" and f"-{word[1:]}" in operators)
