"""What a difference says, as labelled pairs of texts: the one source of terminal, comment and page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.report.differing import differing
from l4serve.report.shown_values import shown

Doc = Mapping[str, Any]
_TOLD_ELSEWHERE = frozenset(
    {"arguments", "image", "replicas", "GPUs per pod", "name in GKE", "accelerator", "GPUs per node", "machine type"}
    | {"boot disk GB", "minNodes", "maxNodes", "zones", "protection"}
)
"""Rows of `changes` that the figures or the flags of a workload or a pool tell already."""
_HARDEST = (
    "cluster replaced",
    "pool replaced",
    "node recreation",
    "workload replaced",
    "pod restart",
    "in place",
    "nothing",
)


@frozen()
class Pair:
    """A figure before and after; None on a side that does not have it."""

    label: str
    before: str | None
    after: str | None
    always: bool = field(default=False, kw_only=True)
    """Whether it is told even where both sides are the same: others are understood by it."""

    @property
    def told(self) -> bool:
        """Whether a list of changes has it."""
        return self.differs or self.always

    @property
    def differs(self) -> bool:
        """Whether the two sides say different things."""
        return self.before != self.after

    @property
    def text(self) -> str:
        """Both sides on one line."""
        if self.before is None or self.after is None or not self.differs:
            return next((side for side in (self.after, self.before) if side is not None), "unknown")
        return f"{self.before} -> {self.after}"


def _tokens(value: Any) -> str:
    return f"{value:,} tokens"


def _gib(value: float) -> str:
    return f"{value:.2f} GiB"


def _fit(facts: Doc, key: str) -> Any:
    fit = facts.get("fit")
    return fit[key] if fit else None


def _margin(facts: Doc) -> str | None:
    margin = _fit(facts, "marginGib")
    if margin is None:
        return None
    doubt = " (within the uncertainty)" if _fit(facts, "marginIsUncertain") else ""
    return f"{margin:.2f} GiB, uncertain by {_fit(facts, 'uncertaintyGib'):.2f}{doubt}"


def _verdict(facts: Doc) -> str:
    fit = facts.get("fit")
    if fit is None:
        return "not judged"
    return "does not fit" if not fit["fits"] else "tight" if fit["marginIsUncertain"] else "fits"


def _used(facts: Doc) -> str | None:
    if not facts.get("fit"):
        return None
    parts = ("weightsGib", "activationGib", "nonTorchGib", "cudaGraphGib", "workspaceGib", "kvCacheGib")
    return f"{sum(_fit(facts, part) for part in parts):.2f} of {_fit(facts, 'totalGib'):.2f} GiB"


def _replicas(facts: Doc) -> str:
    low, high = facts["replicas"], facts["maxReplicas"]
    return str(low) if low == high else f"{low} to {high}"


def _where(facts: Doc) -> str:
    if facts["computeClass"]:
        return f"class {facts['computeClass']}"
    return str(facts["nodePool"] or "any node")


def _when(show: Callable[[Any], str], value: Any) -> str | None:
    return None if value is None else show(value)


_WORKLOAD: tuple[tuple[str, Callable[[Doc], str | None]], ...] = (
    ("engine", lambda f: f"{f['engine']} {f['engineVersion']}"),
    ("model", lambda f: f["modelId"] + (f" at {f['revision']}" if f["revision"] else "")),
    ("image", lambda f: f["image"]),
    ("verdict", _verdict),
    ("context", lambda f: _when(_tokens, f["maxModelLen"])),
    ("KV cache", lambda f: _when(_tokens, _fit(f, "kvCacheTokens"))),
    ("sequences at full context", lambda f: _when(lambda v: f"{v:.1f}", _fit(f, "maxConcurrency"))),
    ("weights per GPU", lambda f: _when(_gib, _fit(f, "weightsGib"))),
    ("memory per GPU", _used),
    ("margin", _margin),
    ("GPUs per pod", lambda f: str(f["gpus"])),
    ("replicas", _replicas),
    ("runs on", _where),
    ("start-up within", lambda f: f"{f['startupSeconds']:,} s"),
)


def workload_pairs(workload: Doc) -> list[Pair]:
    """The figures of a workload, in a fixed order; a side that is missing, or is not judged, has None."""
    return _pairs(_WORKLOAD, workload)


def _nodes(facts: Doc) -> str:
    planned = "" if facts["plannedNodes"] is None else f", {facts['plannedNodes']} planned"
    return f"{facts['minNodes']} to {facts['maxNodes']}{planned}"


def _price(facts: Doc) -> str:
    price = facts["usdPerHourOfANode"]
    return "not stated" if price is None else f"{price:.4f} USD ({facts['priceDate']})"


_POOL: tuple[tuple[str, Callable[[Doc], str | None]], ...] = (
    ("machine", lambda f: f["machineType"]),
    ("GPUs per node", lambda f: f"{f['gpus']} {f['accelerator']}"),
    ("provisioning", lambda f: f["provisioning"]),
    ("nodes", _nodes),
    ("boot disk", lambda f: f"{f['diskSizeGb']} GB"),
    ("zones", lambda f: ", ".join(f["zones"]) or "left to GKE"),
    ("node per hour", _price),
    ("stranded GPUs", lambda f: str(f["gpusStranded"])),
    ("protected", lambda f: "yes" if f["protect"] else "no"),
)


def pool_pairs(pool: Doc) -> list[Pair]:
    """The figures of a pool, in a fixed order."""
    return _pairs(_POOL, pool)


def _pairs(table: Sequence[tuple[str, Callable[[Doc], str | None]]], part: Doc) -> list[Pair]:
    before, after = part["before"], part["after"]
    return [Pair(label, show(before) if before else None, show(after) if after else None) for label, show in table]


def change_pairs(part: Doc) -> list[Pair]:
    """What else differs in the resources of a part, beyond its figures and flags."""
    with_figures = part["before"] is not None
    left = [each for each in part["changes"] if not (with_figures and each["what"] in _TOLD_ELSEWHERE)]
    values = ((each["what"], *differing(each["before"], each["after"])) for each in left)
    told = [(what, _less(old), _less(new)) for what, old, new in values]
    return [Pair(what, shown(old), shown(new)) for what, old, new in told if old != new]


def _less(value: Any) -> Any:
    """A value without what the figures of a pool tell."""
    return {key: each for key, each in value.items() if key != "provisioning"} if isinstance(value, Mapping) else value


def flag_lines(workload: Doc) -> list[tuple[str, str]]:
    """The flags that differ, each with its sign: +, - or ~."""
    flags = workload["flags"]
    lines = [("+", _flag(name, value)) for name, value in flags["added"].items()]
    lines += [("-", _flag(name, value)) for name, value in flags["removed"].items()]
    return lines + [("~", f"{name}: {shown(old)} -> {shown(new)}") for name, (old, new) in flags["changed"].items()]


def _flag(name: str, value: Any) -> str:
    return name if value is True else f"{name}={shown(value)}"


def usd(amount: float | None, digits: int = 2) -> str:
    """An amount in USD."""
    return "not stated" if amount is None else f"{amount:,.{digits}f}"


def cost_pairs(stack: Doc) -> list[Pair]:
    """Cost per hour and month at each level, the spot share and the stranded GPUs."""
    before, after = stack["cost"]["before"], stack["cost"]["after"]
    levels = (("min", "least"), ("planned", "as planned"), ("max", "most"))
    pairs = [Pair(f"USD, {label}", _cost(before, level), _cost(after, level)) for level, label in levels]
    old, new = _dates(before), _dates(after)
    if old or new:
        pairs.append(Pair("prices of", old, new, always=any(pair.differs for pair in pairs)))
    pairs.append(Pair("spot share", _share(before), _share(after)))
    pairs.append(Pair("stranded GPUs", _of(before, "gpusStranded"), _of(after, "gpusStranded")))
    return [*pairs, Pair("not stated", _unknown(before), _unknown(after))]


def _cost(cost: Doc | None, level: str) -> str | None:
    if cost is None:
        return None
    hour, month = cost[level]["usdPerHour"], cost[level]["usdPerMonth"]
    return "not stated" if hour is None else f"{usd(hour)} per hour, {usd(month)} per month"


def _share(cost: Doc | None) -> str | None:
    if cost is None or cost["spotShare"] is None:
        return None
    return f"{cost['spotShare']:.0%}"


def _dates(cost: Doc | None) -> str | None:
    return ", ".join(cost.get("priceDates", ())) or None if cost else None


def _of(cost: Doc | None, key: str) -> str | None:
    return None if cost is None else str(cost[key])


def _unknown(cost: Doc | None) -> str | None:
    return None if cost is None else ", ".join(cost["unknown"]) or "nothing"


def planned_change(stack: Doc) -> str | None:
    """The change of the planned cost, such as `+1.37 USD per hour`; None where there is none, or nobody states it.

    What is priced on one side alone makes it look like a saving, or like a cost, that is none.
    """
    sides = (stack["cost"]["before"], stack["cost"]["after"])
    amounts = [side["planned"]["usdPerHour"] if side else None for side in sides]
    if amounts[0] is None or amounts[1] is None or amounts[0] == amounts[1]:
        return None
    told = f"{amounts[1] - amounts[0]:+,.2f} USD per hour"
    unknown = [set(side["unknown"]) for side in sides]
    unlike = sorted(unknown[0] ^ unknown[1])
    return f"{told} of what has a price, which {', '.join(unlike)} lacks on one side" if unlike else told


def hardest_landing(stack: Doc) -> str:
    """How the hardest part of a stack lands."""
    landings = [part["lands"] for key in ("objects", "pools", "workloads") for part in stack[key]]
    return next((word for word in _HARDEST if word in landings), "nothing")


def located(problem: Doc) -> str:
    """Where a refusal stands: file and line where they are known, and the path; a file that is none has no path."""
    place = str(problem.get("place", ""))
    path = str(problem["path"])
    return place if place.partition(":")[0] == path else f"{place}: {path}" if place else path


def landing(part: Doc) -> str:
    """How a part lands, or that it comes or goes; a part without an older side is judged by its edits alone.

    A workload whose clients notice what happens to its gateway or its pool is untouched itself.
    """
    told = str(part["lands"] or part["change"])
    if told == "nothing" and part["change"] == "changed" and not part["changes"]:
        return "untouched"
    by_edits = part["change"] == "changed" and part["after"] is not None and part["before"] is None
    return f"{told}, only by its edits" if by_edits else told


def changed(parts: Sequence[Doc]) -> Iterator[Doc]:
    """The parts that are not the same."""
    return (part for part in parts if part["change"] != "same")
