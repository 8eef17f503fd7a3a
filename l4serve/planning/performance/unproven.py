"""What is judged by bytes and operations alone: cases of which no point says how far off the figures are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.planning.memory.generations import parse_version
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.towers import encodes_items
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.performance.card_speeds import Bound, Span

V1_BY_DEFAULT = (0, 8, 0)


@frozen(kw_only=True)
class Unproven:
    """A case that no point supports: why that is told, and the bound that it has at least."""

    why: str
    bound: Bound
    rule: str | None
    """Of an engine's contract, which tells of the case."""


SEEN: Mapping[str, Callable[[ModelShape, ServingOptions], bool]] = {
    "experts": lambda model, _: model.moe is not None,
    "latentAttention": lambda model, _: model.mla is not None,
    "adapters": lambda _, options: options.lora is not None,
    "adaptersOfOldEngines": lambda _, options: (
        bool(options.lora) and parse_version(options.engine_version) < V1_BY_DEFAULT
    ),
    "statedWeights": lambda _, options: options.weights_gib is not None,
    "media": encodes_items,
}
"""How a case is found in a model and its settings."""


@cache
def unproven_cases() -> Mapping[str, Unproven]:
    """Every case of the table by its name."""
    return {
        name: Unproven(
            why=row["why"],
            bound=Bound(**{figure: Span(*shares) for figure, shares in row["bound"].items()}),
            rule=row.get("rule"),
        )
        for name, row in load_data(__file__, "unproven.yaml").items()
    }


@cache
def _told_by_rules() -> Mapping[str, str]:
    """What is told of a case by the rule of a contract that tells of it."""
    return {case.rule: case.why for case in unproven_cases().values() if case.rule is not None}


@cache
def telling_rules() -> frozenset[str]:
    """The rules of contracts that tell of a case."""
    return frozenset(_told_by_rules())


def warned(rules: Iterable[str]) -> str | None:
    """What a contract's rule tells of, beside others that are proven; None where these rules tell of nothing such."""
    known = _told_by_rules()
    return next((known[rule] for rule in rules if rule in known), None)


def unproven(model: ModelShape, options: ServingOptions, rules: Iterable[str]) -> Iterator[Unproven]:
    """The cases that a served model is, by itself, by its settings, or by the rules that speak of it."""
    for name, case in unproven_cases().items():
        if case.rule in rules if case.rule is not None else SEEN[name](model, options):
            yield case
