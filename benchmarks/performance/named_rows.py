"""Which of the given rows are judged when they are asked by their own names, whether or not figures are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.performance.l4_points import REAL_PROMPT, l4_question
from benchmarks.performance.points import rows
from l4serve.cli.answers.fit_text import refused_beside_memory
from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judgement.fit_question import subject_of
from l4serve.planning.workload.judgement.judging import judge
from l4serve.planning.workload.judgement.speed_question import subject_speed


def usable(row: Mapping[str, Any]) -> bool:
    """Whether a row of the engine says how many ask and how long their answers are."""
    return row["engine"] == "vllm" and _clients(row) is not None and bool(row.get("output_tokens"))


def named_rows() -> Iterator[tuple[Mapping[str, Any], str | None]]:
    """Each usable row, and why it is not judged; None where it is."""
    yield from ((row, _unanswered(row)) for row in rows("l4_points.jsonl") if usable(row))


def named_line() -> str:
    """How many are judged, and why the others are not."""
    found = [reason for _, reason in named_rows()]
    lost = [reason for reason in found if reason is not None]
    told = "".join(f"; {reason}" for reason in dict.fromkeys(lost))
    return f"{len(found) - len(lost)} of {len(found)} rows are judged by their own names{told}"


def _clients(row: Mapping[str, Any]) -> int | None:
    """Clients of one replica; requests that come at once are as many."""
    load = row["load"]
    if load["kind"] == "closed_loop_fleet":
        return -(-int(load["users"]) // int(load["replicas"]))
    counts = (load.get(key) for key in ("concurrency", "batch", "requests"))
    return next((int(count) for count in counts if count), None)


def _unanswered(row: Mapping[str, Any]) -> str | None:
    shape = find_model(row["model"])
    if shape is None:
        return f"{row['model']} is in no catalogue"
    lengths = row.get("input_tokens") or REAL_PROMPT, row["output_tokens"]
    prompt, answer = (max(1, round(tokens)) for tokens in lengths)
    try:
        subject = subject_of(l4_question(row, shape))
    except ConfigError as error:
        return str(error).splitlines()[0]
    judgement = judge(subject)
    if refused := refused_beside_memory(judgement):
        return refused[0]
    speed = subject_speed(subject, judgement, Load(input_tokens=prompt, output_tokens=answer, clients=_clients(row)))
    return None if speed.judged and not speed.not_judged else "; ".join(speed.not_judged)
