"""An estimate of speed as plain JSON values, under the names that every command shares."""

from __future__ import annotations

from typing import Any

from l4serve.planning.performance.bounded_figures import Figures
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Speed
from l4serve.planning.workload.judgement.speed_question import Priced

LATENCIES = {"ttftMs": "ttft_ms", "itlMs": "itl_ms", "endToEndMs": "end_to_end_ms"}
RATES = {
    "outputTokensPerSecond": "output_tokens_per_second",
    "requestsPerSecond": "requests_per_second",
    "runningRequests": "running_requests",
}


def speed_json(answer: Priced) -> dict[str, Any]:
    """The documented JSON form: latencies in milliseconds, rates of all clients together."""
    speed = answer.speed
    return {
        **_figures(speed.figures, answer),
        "limitedBy": speed.limited_by,
        "low": _figures(speed.low, answer, dear=speed.high),
        "high": _figures(speed.high, answer, dear=speed.low),
        "priceDate": answer.price.date if answer.price else None,
        "assumed": list(speed.assumed),
        "notJudged": reasons_of(speed, priced=answer.price is not None),
    }


def load_json(load: Load) -> dict[str, Any]:
    """The load of all replicas together, with what its lengths vary by."""
    prompts, answers, share = load.spread
    return {
        "inputTokens": load.input_tokens,
        "outputTokens": load.output_tokens,
        "sharedPrefixTokens": load.shared_tokens,
        "kind": load.kind,
        "concurrency": None if load.burst else load.clients,
        "rps": load.rate,
        "requestsAtOnce": load.clients if load.burst else None,
        "lengthSpread": {"input": prompts, "output": answers, "share": rounded(share)},
    }


def reasons_of(speed: Speed, *, priced: bool) -> list[str]:
    """Why figures are missing."""
    return [*speed.not_judged, *([] if priced else ["usdPerMillionOutputTokens: no price is known"])]


def _figures(figures: Figures, answer: Priced, dear: Figures | None = None) -> dict[str, Any]:
    named = {**LATENCIES, **RATES}
    found = {key: rounded(getattr(figures, name)) for key, name in named.items()}
    tokens = (dear or figures).output_tokens_per_second
    return {**found, "usdPerMillionOutputTokens": rounded(answer.usd_per_million(tokens))}


def rounded(value: float | None) -> float | None:
    """Five figures: more would say more than is known."""
    return None if value is None else float(f"{value:.5g}")
