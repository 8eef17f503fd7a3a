"""The advisor's answer as plain JSON values: the stable interface of `l4serve advise --json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from l4serve.advising.answer import Answer, Rejected
from l4serve.advising.budget import most_autoscaled, whole_edit
from l4serve.advising.candidates import Candidate
from l4serve.advising.load_share import together
from l4serve.advising.ranking import Judged, Wish, measured, per_scope
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.stack.speed_json import RATES, load_json, reasons_of, rounded, speed_json
from l4serve.planning.workload.judgement.speed_question import Priced

LIMITS = "engine.maxNumBatchedTokens", "engine.maxNumSeqs"


def answer_json(answer: Answer, wish: Wish) -> dict[str, Any]:
    """Winner, front and rejected candidates, each with where it runs and what it was judged to do."""
    winner = answer.winner
    return {
        "goal": wish.goal,
        "load": load_json(wish.load),
        "tried": answer.tried,
        "winner": None if winner is None else _won(winner, answer, wish),
        "front": [judged_json(judged, wish) for judged in answer.front],
        "rejected": [
            *({"gpu": card.accelerator, "reason": card.reason} for card in answer.unhoused),
            *(_rejected_json(rejected, wish) for rejected in answer.rejected),
        ],
    }


def _won(winner: Judged, answer: Answer, wish: Wish) -> dict[str, Any]:
    most = most_autoscaled(winner.candidate, wish)
    return {**judged_json(winner, wish), "maxReplicas": most, "reasons": list(reasons(answer, wish))}


def judged_json(judged: Judged, wish: Wish) -> dict[str, Any]:
    """A candidate that was estimated; rates are those of all replicas together."""
    one = speed_json(Priced(speed=judged.speed, price=None))
    figures = dict(one)
    of_all = {"low": together(judged.speed.low, judged.times), "high": together(judged.speed.high, judged.times)}
    for part, whole in ((figures, judged.figures), *((figures[name], each) for name, each in of_all.items())):
        part |= {key: rounded(getattr(whole, RATES[key])) for key in RATES}
    figures["usdPerMillionOutputTokens"] = rounded(judged.usd_per_million)
    figures["priceDate"] = judged.candidate.home.price_date
    figures["notJudged"] = reasons_of(judged.speed, priced=judged.candidate.usd_per_hour is not None)
    for side, dear in (("low", "high"), ("high", "low")):
        price = judged.usd_per_million_at(of_all[dear].output_tokens_per_second)
        figures[side]["usdPerMillionOutputTokens"] = rounded(price)
    return {**_place(judged.candidate, wish), "estimate": figures}


def _place(candidate: Candidate, wish: Wish) -> dict[str, Any]:
    """What would be written, and where it would run."""
    subject = candidate.pod.subject
    options = subject.options
    return {
        "edit": dict(whole_edit(candidate, wish)),
        "engine": subject.workload.engine.kind,
        "engineVersion": subject.workload.engine.version,
        "modelId": subject.shape.id if subject.shape else subject.workload.model.id,
        "gpu": subject.card.name,
        "machineType": candidate.home.shape.machine_type,
        "gpusPerNode": candidate.home.shape.gpus,
        "replicas": candidate.replicas,
        "gpus": candidate.gpus,
        "tensorParallelSize": subject.layout.tensor_parallel_size,
        "quantization": options.quantization or (_stored(subject.shape) if subject.shape else None),
        "prequantised": "model.id" in candidate.pod.edit,
        "kvCacheDtype": options.kv_cache_dtype or "auto",
        "maxModelLen": options.max_model_len,
        "maxNumSeqs": options.max_num_seqs,
        "maxNumBatchedTokens": options.max_num_batched_tokens,
        "quality": candidate.pod.quality,
        "usdPerHour": rounded(candidate.usd_per_hour),
        "nodes": candidate.nodes,
        "usdPerHourOfNodes": rounded(candidate.bill),
    }


def _stored(shape: Any) -> str | None:
    return shape.quantization.method if shape.quantization else None


def _rejected_json(rejected: Rejected, wish: Wish) -> dict[str, Any]:
    return {**_place(rejected.candidate, wish), "reason": rejected.reason}


def reasons(answer: Answer, wish: Wish) -> tuple[str, ...]:
    """Why the winner won."""
    winner = answer.winner
    if winner is None:
        return ()
    figure = measured(winner, wish)
    best = {
        "latency": f"a whole answer in {figure}, the least",
        "throughput": f"{figure}, the most",
        "cost": f"{figure}, the least",
    }[wish.goal]
    others = "all that keep the wish"
    if wish.goal == "throughput" and wish.load.rate is not None:
        best = f"{figure}, as many as come, for the least"
    elif wish.goal == "throughput" and per_scope(winner, wish)[1]:
        others = "the front"
    if wish.goal == "cost" and winner.usd_per_million is None:
        best = f"{figure}: the fewest cards for its tokens"
    return (
        f"{best} of {others}",
        f"limited by {winner.speed.limited_by}",
        *_gains(winner.candidate, answer.rejected),
        *_other_replicas(winner.candidate, wish),
    )


def _other_replicas(candidate: Candidate, wish: Wish) -> list[str]:
    """That a workload gets another number of replicas, and what it loses by fewer."""
    home, most, replicas = candidate.home, most_autoscaled(candidate, wish), candidate.replicas
    told = []
    if "replicas" in candidate.edit and home.configured is not None:
        why = "each has its part of the load"
        if replicas < home.configured:
            why = "fewer keep the wish, and fewer are left while a pod fails or is replaced"
        told.append(f"replicas: {replicas} in place of {home.configured}: {why}")
    if most is not None and home.autoscaled is not None:
        told.append(f"autoscaling.maxReplicas: {most} in place of {home.autoscaled[1]}: the budget pays no more")
    return told


def _gains(candidate: Candidate, rejected: Sequence[Rejected]) -> list[str]:
    edit = candidate.pod.edit
    said = {
        "engine.quantization": "its weights are made smaller while they load: no other checkpoint is needed",
        "model.id": "a checkpoint with fewer bits",
        "engine.kvCacheDtype": "a cache of half the bytes holds twice the tokens and is read faster",
        "engine.tensorParallelSize": "each card reads its part of the weights",
        "engine.maxModelLen": "a context that fits and holds the requests",
        "engine.maxNumBatchedTokens": "more tokens of prompts in one step",
        "engine.maxNumSeqs": "fewer sequences share a step, and their memory is left to the cache",
        "autoscaling.target": "another replica serves before the rate has outgrown those that there are",
    }
    back = {
        "engine.quantization: null": "the weights of the checkpoint are served as they are",
        "engine.quantization: awq_marlin": "the kernel that is fast for such weights",
        "engine.kvCacheDtype: auto": "a cache in the type of the activations, which the release serves better here",
    }
    limits = [key for key in LIMITS if key in edit]
    needed = {
        key: f"without it this is rejected: {why}" for key in limits if (why := _without(key, candidate, rejected))
    }
    written = {key: f"{key}: {'null' if edit[key] is None else edit[key]}" for key in said if key in edit}
    return [f"{value}: {back.get(value) or needed.get(key) or said[key]}" for key, value in written.items()]


def _without(key: str, candidate: Candidate, rejected: Sequence[Rejected]) -> str | None:
    """Why the same without this key would not do, however its context is cut; None where it would, or nobody tried."""
    rest = _chosen(candidate, key)
    alike = (
        other
        for other in rejected
        if not other.compared and other.candidate.home == candidate.home and _chosen(other.candidate) == rest
    )
    return next((other.reason for other in alike), None)


def _chosen(candidate: Candidate, *left_out: str) -> dict[str, object]:
    """A pod's edit without these keys and the context, which follows from the rest."""
    length = engine_profile(candidate.pod.subject.workload.engine.kind).path("length")
    return {name: value for name, value in candidate.pod.edit.items() if name not in (*left_out, length)}
