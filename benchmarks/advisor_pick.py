"""The advisor's pick against what was measured: four models, at least ten configurations each, under one load.

    python -m benchmarks.advisor_pick

Each configuration was started on an H100 with an L4's memory (22.03 GiB, utilisation 0.9) and got 64 requests of 256
tokens in and 128 out at once (`benchmarks/performance/advised_points.jsonl`). The advisor is asked for the throughput
of the same card, memory, utilisation and load, on one GPU. The ratio is the pick's measured tokens/s over the
best that was measured.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.performance.h100_points import H100_MODELS
from benchmarks.performance.points import rows
from l4serve.advising.candidates import Home, pod_choices
from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.planning.machines.shapes import all_shapes
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judgement.fit_question import Question, subject_of

CARD = "nvidia-h100-80gb"
LOAD = REQUESTS, PROMPT, ANSWER = 64, 256, 128
CARD_GIB, SHARE = 22.03, 0.9
MODELS = ("gemma-7b", "llama-3.1-8b", "qwen2.5-7b", "qwen2.5-14b")
ARGUMENTS = {
    "engine.quantization": "quantization",
    "engine.kvCacheDtype": "kv_cache_dtype",
    "engine.dtype": "dtype",
    "engine.maxNumSeqs": "max_num_seqs",
    "engine.maxNumBatchedTokens": "max_num_batched_tokens",
}
"""What an edit of the advisor is among vLLM's own arguments; a context that only fits is no choice."""
SERVER_DEFAULTS = {"max_num_batched_tokens": 2048, "max_num_seqs": 256}


@dataclass(frozen=True, kw_only=True)
class Pick:
    """One model's pick: its edit, its measured tokens/s, and the best of all that were measured."""

    model: str
    edit: Mapping[str, object]
    measured: float | None
    best: float
    best_arguments: Mapping[str, object]
    guide: float
    tried: int
    died: int

    @property
    def ratio(self) -> float | None:
        """The pick's part of the best; None for a pick that was not measured."""
        return None if self.measured is None else self.measured / self.best


@cache
def started(base: str) -> tuple[Mapping[str, Any], ...]:
    """The configurations of one model that were started, its quantised checkpoints among them."""
    return tuple(row for row in rows("advised_points.jsonl") if row["model"].startswith(base))


def arguments(row: Mapping[str, Any]) -> Mapping[str, object]:
    """A start's model and the arguments that the advisor could have chosen."""
    kept = {name: row["kwargs"].get(name) for name in ARGUMENTS.values()}
    return {"model": H100_MODELS[row["model"]], **kept}


def tokens_per_second(row: Mapping[str, Any]) -> float | None:
    """Measured output tokens a second under the load; None for a start that died."""
    found = (load["out_tok_s"] for load in row["loads"] if (load["n"], load["in"], load["out"]) == LOAD)
    return next(found, None)


def advised(base: str) -> Mapping[str, object]:
    """The advisor's edit for one model on one card."""
    shape = find_model(H100_MODELS[base])
    assert shape is not None, base
    question = Question(
        model=shape,
        engine="vllm",
        engine_version="0.26.0",
        accelerator=CARD,
        gpus=1,
        settings={"memoryShare": SHARE},
        gpu_memory_gib=CARD_GIB,
    )
    machine = min(all_shapes(CARD), key=lambda shape: shape.gpus)
    load = Load(input_tokens=PROMPT, output_tokens=ANSWER, clients=REQUESTS, burst=True)
    answer = search(
        pod_choices(subject_of(question), (1,)),
        [Home(shape=machine, usd_per_hour=None, most_replicas=1)],
        Wish(goal="throughput", load=load),
    )
    assert answer.winner is not None, base
    return answer.winner.candidate.pod.edit


def as_arguments(base: str, edit: Mapping[str, object]) -> Mapping[str, object]:
    """An edit as the arguments of a start."""
    named = {ARGUMENTS[key]: value for key, value in edit.items() if key in ARGUMENTS}
    model = edit.get("model.id", H100_MODELS[base])
    return {"model": model, **dict.fromkeys(ARGUMENTS.values()), **SERVER_DEFAULTS, **named}


def pick(base: str) -> Pick:
    """What the advisor picks for a model, beside what was measured."""
    measured = {tuple(arguments(row).items()): tokens_per_second(row) for row in started(base)}
    edit = advised(base)
    wanted = as_arguments(base, edit)
    found = next((v for k, v in measured.items() if dict(k) == wanted), None)
    running = {key: value for key, value in measured.items() if value is not None}
    best = max(running, key=lambda key: running[key])
    guide = [v for k, v in running.items() if is_guides(dict(k))]
    return Pick(
        model=base,
        edit={key: value for key, value in edit.items() if key in ARGUMENTS or key == "model.id"},
        measured=found,
        best=running[best],
        best_arguments={k: v for k, v in best if v is not None and SERVER_DEFAULTS.get(k) != v},
        guide=max(guide),
        tried=len(measured),
        died=len(measured) - len(running),
    )


def is_guides(chosen: Mapping[str, object]) -> bool:
    """Whether a start is one of the guide's recipes: 16 bits with either cache, or AWQ; server defaults otherwise."""
    plain = all(chosen[name] == value for name, value in SERVER_DEFAULTS.items()) and chosen["dtype"] is None
    awq = "AWQ" in str(chosen["model"]) and chosen["kv_cache_dtype"] is None
    sixteen = not any(mark in str(chosen["model"]) for mark in ("AWQ", "w4a16", "FP8"))
    return plain and chosen["quantization"] is None and (awq or sixteen)


def picks_table() -> str:
    """The picks as a table of `docs/performance-model.md`."""
    lines = ["| model | pick | tokens/s | best measured | of the best | started, died |", "|---|---|---|---|---|---|"]
    for base in MODELS:
        found = pick(base)
        edit = ", ".join(f"`{key}: {value}`" for key, value in found.edit.items())
        measured = "-" if found.measured is None else f"{found.measured:,.0f}"
        ratio = "-" if found.ratio is None else f"{found.ratio:.3f}"
        lines.append(
            f"| {H100_MODELS[base]} | {edit} | {measured} | {found.best:,.0f} | {ratio} | {found.tried}, {found.died} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Prints one line for each model."""
    for base in MODELS:
        found = pick(base)
        edit = ", ".join(f"{key}: {value}" for key, value in found.edit.items()) or "as it is"
        ratio = "not measured" if found.ratio is None else f"{found.ratio:.3f} of the best of {found.tried}"
        print(f"{base}: {edit}: {found.measured or 0:,.0f} tokens/s, {ratio}")
        print(f"  best: {found.best:,.0f} ({dict(found.best_arguments)}); best of the guide's: {found.guide:,.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
