"""Requests that a workload answered and will refuse: by another name, for a longer context, for more of anything."""

from collections.abc import Iterator, Mapping
from functools import cache
from math import inf
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.json_text import json_value
from l4serve.planning.difference.flags import flags_of
from l4serve.planning.workload.workload_plan import ModelPlan, WorkloadPlan


def refused_requests(before: WorkloadPlan, after: WorkloadPlan) -> Iterator[str]:
    """Why requests that were answered are refused, once for each way."""
    yield from _unknown_names(before.model, after.model)
    if before.model.purpose != after.model.purpose:
        words = _facts()["purposes"]
        told = f"it answers with {words[after.model.purpose]} in place of {words[before.model.purpose]}"
        yield f"{told}, and clients must follow"
    old, new = before.model.max_model_len, after.model.max_model_len
    if old is not None and new is not None and new < old:
        yield f"requests above {new:,} tokens, prompt and answer together, are refused; they may have {old:,}"
    if gone := [path for path in before.engine.contract.api_paths if path not in after.engine.contract.api_paths]:
        yield f"{after.engine.contract.name} does not answer at {', '.join(gone)}"
    if before.engine.kind == after.engine.kind:
        yield from _by_flags(before, after)


def _unknown_names(old: ModelPlan, new: ModelPlan) -> Iterator[str]:
    """Names by which clients ask, of the model and of its adapters, that are gone."""
    known = (*new.served_names, *new.adapters)
    if names := [name for name in old.served_names if name not in known]:
        yield f"no model is served as {', '.join(names)}, and clients must ask for {new.served_names[0]}"
    if names := [name for name in old.adapters if name not in known]:
        yield f"no adapter is served as {', '.join(names)}, and requests for one are refused"


def _by_flags(before: WorkloadPlan, after: WorkloadPlan) -> Iterator[str]:
    facts = _facts()[after.engine.kind]
    old, new = flags_of(before.engine.argv), flags_of(after.engine.argv)
    for flag, row in facts["lowered"].items():
        most = [_number(flags.get(flag, row.get("usual")), row.get("all")) for flags in (old, new)]
        if most[0] is not None and most[1] is not None and most[1] < most[0]:
            yield f"requests {row['says'].format(most=f'{most[1]:,.0f}')} are refused"
    yield from (f"requests {says} are refused" for flag, says in facts["dropped"].items() if flag in old.keys() - new)
    yield from (f"requests {says} are refused" for flag, says in facts["set"].items() if flag in new.keys() - old)
    if facts["perKind"]:
        counts = [_counts(flags.get(facts["perKind"])) for flags in (old, new)]
        for kind, count in counts[1].items():
            if count < counts[0].get(kind, count):
                yield f"requests with more than {count:,} of {kind} are refused"


def _number(value: Any, endless: int | None) -> float | None:
    """The number that a flag says; None for one that is not known."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return inf if number == endless else number


def _counts(value: Any) -> Mapping[str, int]:
    """How many media of each kind a request may have, as the flag says it: a number, or an object with a count."""
    try:
        given = json_value(value) if isinstance(value, str) else {}
    except ValueError:
        return {}
    counts = {kind: each.get("count") if isinstance(each, dict) else each for kind, each in given.items()}
    return {kind: int(count) for kind, count in counts.items() if isinstance(count, int)}


@cache
def _facts() -> Mapping[str, Any]:
    facts: Mapping[str, Any] = load_data(__file__, "client_requests.yaml")
    return facts
