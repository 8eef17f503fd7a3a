"""Drawings of figures: memory of one GPU, sequences against context, and cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log2
from xml.etree import ElementTree

from l4serve.report.elements import Child, element, rectangle, svg, text
from l4serve.report.words import Doc, usd

MEMORY = (
    ("weightsGib", "weights"),
    ("activationGib", "activations"),
    ("cudaGraphGib", "CUDA graphs"),
    ("nonTorchGib", "CUDA and NCCL"),
    ("workspaceGib", "workspace"),
    ("kvCacheGib", "KV cache"),
)
_COLOURS = ("c0", "c1", "c3", "c6", "c7", "c2")
_WIDTH = 640.0
_LONGEST, _SHORTEST = 2**20, 256


def sides_of(part: Doc) -> list[tuple[str, Doc]]:
    """The sides of a part that are there, the older first; one side alone has no word for it."""
    sides = [(word, part[word]) for word in ("before", "after") if part[word]]
    return sides if len(sides) == 2 else [("", facts) for _, facts in sides]


def legend(entries: Iterable[tuple[str, str]]) -> ElementTree.Element:
    """Names beside their colours."""
    items = [element("li", svg(10, 10, "", rectangle(0, 0, 10, 10, colour)), name) for colour, name in entries]
    return element("ul", items, class_="legend")


def figure(caption: str, *children: Child) -> ElementTree.Element:
    """A drawing under its caption."""
    return element("figure", element("figcaption", caption), *children)


def memory_bars(part: Doc) -> ElementTree.Element | None:
    """One bar per side for the memory of one GPU; None where no side is judged."""
    sides = [(word, facts["fit"]) for word, facts in sides_of(part) if facts["fit"]]
    if not sides:
        return None
    most = max(max(fit["totalGib"], _taken(fit)) for _, fit in sides)
    left, height = (60.0 if len(sides) > 1 else 0.0), 34.0 * len(sides) + 4
    drawn: list[Child] = []
    for row, (word, fit) in enumerate(sides):
        drawn += _memory_bar(word, fit, row * 34.0 + 4, left, (_WIDTH - left) / most)
    said = "; ".join(f"{word} {_memory_text(fit)}".strip() for word, fit in sides)
    names = [*zip(_COLOURS, (name for _, name in MEMORY), strict=True), ("empty", "left over")]
    return figure("Memory of one GPU", svg(_WIDTH, height, said, drawn), legend(names))


def _taken(fit: Doc) -> float:
    return float(sum(fit[key] for key, _ in MEMORY))


def _memory_text(fit: Doc) -> str:
    parts = ", ".join(f"{name} {fit[key]:.2f}" for key, name in MEMORY if fit[key])
    return f"{parts} of {fit['totalGib']:.2f} GiB"


def _memory_bar(word: str, fit: Doc, y: float, left: float, scale: float) -> list[Child]:
    drawn: list[Child] = [text(0, y + 18, word)] if word else []
    drawn.append(rectangle(left, y, fit["totalGib"] * scale, 26, "empty", f"whole card {fit['totalGib']:.2f} GiB"))
    x = left
    for (key, name), colour in zip(MEMORY, _COLOURS, strict=True):
        width = fit[key] * scale
        drawn.append(rectangle(x, y, width, 26, colour, f"{name} {fit[key]:.2f} GiB"))
        if width > 70:
            drawn.append(text(x + 6, y + 17, f"{fit[key]:.1f} GiB"))
        x += width
    return drawn


def concurrency_chart(part: Doc) -> ElementTree.Element | None:
    """Sequences that the KV cache holds against their context; None where no side is judged."""
    sides = [(word or "after", facts) for word, facts in sides_of(part) if facts["fit"] and facts["maxModelLen"]]
    sides = [(word, facts) for word, facts in sides if facts["fit"]["kvCacheTokens"] > 0]
    if not sides:
        return None
    longest = min(_LONGEST, max(max(facts["maxModelLen"], 2048) for _, facts in sides))
    axes = _Axes(longest, max(_sequences(facts, _SHORTEST) for _, facts in sides))
    drawn: list[Child] = axes.grid()
    for word, facts in sides:
        steps = [_SHORTEST * (longest / _SHORTEST) ** (i / 40) for i in range(41)]
        points = " ".join(axes.point(context, _sequences(facts, context)) for context in steps)
        drawn.append(element("polyline", points=points, class_=f"line {word}"))
        x, y = axes.place(facts["maxModelLen"], _sequences(facts, facts["maxModelLen"]))
        told = f"{word}: {_sequences(facts, facts['maxModelLen']):.1f} sequences of {facts['maxModelLen']:,} tokens"
        drawn.append(element("circle", element("title", told), cx=x, cy=y, r=5.0, class_=f"bar-{word}"))
    said = "; ".join(
        f"{word}: {_sequences(facts, facts['maxModelLen']):.1f} sequences at {facts['maxModelLen']:,}"
        for word, facts in sides
    )
    names = [(f"bar-{word}", word) for word, _ in sides] if len(sides) > 1 else []
    chart = svg(_WIDTH, 260, said, drawn)
    return figure("Sequences that the KV cache holds, against their context in tokens", chart, legend(names))


def _sequences(facts: Doc, context: float) -> float:
    """As the cache holds them at the judged context, and in proportion elsewhere."""
    fit = facts["fit"]
    return float(fit["kvCacheTokens"] / context)


class _Axes:
    """Both axes logarithmic: a straight line is what a cache of one size looks like."""

    def __init__(self, longest: float, most: float) -> None:
        self.longest, self.most = longest, max(most, 4.0)

    def place(self, context: float, sequences: float) -> tuple[float, float]:
        context, sequences = min(max(context, _SHORTEST), self.longest), min(max(sequences, 0.25), self.most)
        across = log2(context / _SHORTEST) / log2(self.longest / _SHORTEST)
        up = log2(sequences / 0.25) / log2(self.most / 0.25)
        return round(50 + across * (_WIDTH - 70), 1), round(225 - up * 210, 1)

    def point(self, context: float, sequences: float) -> str:
        return "{},{}".format(*self.place(context, sequences))

    def grid(self) -> list[Child]:
        drawn: list[Child] = []
        context = _SHORTEST
        while context <= self.longest:
            x, _ = self.place(context, 1)
            drawn.append(element("line", x1=x, y1=15.0, x2=x, y2=225.0, class_="axis"))
            if int(log2(context)) % 2 == 0:
                drawn.append(text(x, 245, f"{context:,}", "soft", "middle"))
            context *= 2
        sequences = 1.0
        while sequences <= self.most:
            _, y = self.place(_SHORTEST, sequences)
            drawn.append(element("line", x1=50.0, y1=y, x2=_WIDTH - 20, y2=y, class_="axis"))
            drawn.append(text(44, y + 4, f"{sequences:,.0f}", "soft", "end"))
            sequences *= 4
        return drawn


def cost_chart(stack: Doc) -> ElementTree.Element | None:
    """Bars for least, planned and most USD per hour, before and after; None where nothing is stated."""
    sides = [(word, stack["cost"][word]) for word in ("before", "after") if stack["cost"][word]]
    levels: Sequence[tuple[str, str]] = (("min", "least"), ("planned", "planned"), ("max", "most"))
    amounts = [
        (name, word, cost[level]["usdPerHour"]) for level, name in levels for word, cost in sides
        if cost[level]["usdPerHour"] is not None
    ]  # fmt: skip
    return _bars("Cost in USD per hour", amounts, tell_sides=len(sides) > 1)


def planned_costs(stacks: Sequence[Doc]) -> ElementTree.Element | None:
    """Bars for the planned USD per hour of each stack, before and after; None where nothing is stated."""
    amounts = [
        (stack["stack"], word, stack["cost"][word]["planned"]["usdPerHour"])
        for stack in stacks
        for word in ("before", "after")
        if stack["cost"][word] and stack["cost"][word]["planned"]["usdPerHour"] is not None
    ]
    return _bars("Planned cost of each stack in USD per hour", amounts, tell_sides=True)


def _bars(caption: str, amounts: Sequence[tuple[str, str, float]], *, tell_sides: bool) -> ElementTree.Element | None:
    if not amounts:
        return None
    scale = (_WIDTH - 250) / max(max(amount for *_, amount in amounts), 0.01)
    drawn: list[Child] = []
    for row, (name, word, amount) in enumerate(amounts):
        y = row * 24.0 + 2
        label = f"{name}, {word}" if tell_sides else name
        drawn.append(text(0, y + 15, label))
        drawn.append(
            rectangle(120, y, max(amount * scale, 1), 18, f"bar-{word}", f"{label}: {usd(amount)} USD per hour")
        )
        drawn.append(text(128 + amount * scale, y + 14, f"{usd(amount)} USD/h"))
    said = "; ".join(f"{name} {word} {usd(amount)}" for name, word, amount in amounts)
    return figure(caption, svg(_WIDTH, len(amounts) * 24.0 + 4, said, drawn))
