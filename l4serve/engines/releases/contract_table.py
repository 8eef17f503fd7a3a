"""The table of all releases of an engine: one row for each span of releases in which a thing stayed the same."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Any

from l4serve.config.frozen import frozen

CONTRACTS = Path(__file__).parents[1] / "contracts"


def read_table(path: Path) -> dict[str, Any]:
    """The table as it lies on disk."""
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table


@frozen()
class ServedModel:
    """What a release does with an architecture, as read from its class."""

    kind: str
    """text, multimodal, embedding, late-interaction, reward, classification, token-classification, transformers, draft
    or backend."""
    traits: frozenset[str]
    """lora, pp, packed, experts, experts? (cannot be told), sinks, state, hybrid, attention-free, transcription."""


@frozen()
class Image:
    """What is in a release's official image."""

    cuda: str | None
    """None is unknown."""
    finds_driver: bool
    """Whether it searches for the driver where GKE mounts it."""
    packages: frozenset[str]
    """Those that a flag needs and that it has; see `data/image_needs.yaml`."""
    user: str
    compatibility: str | None = None
    """Variable that runs it by its own compatibility libraries under an older driver; None where it has none."""
    audio: bool = False
    """Whether it has a package that decodes audio, without which each request with some fails."""


@frozen()
class FlagRow:
    """A flag as it stands in a span of releases; rows are compared by their place in the table, not by content."""

    name: str
    entry: Mapping[str, Any] = field(compare=False)
    place: int
    choices: tuple[str, ...] | None
    values: tuple[str, ...] | None

    @property
    def spellings(self) -> Iterator[str]:
        """Every option string that means the flag, those that say no too."""
        yield self.name
        yield from self.entry.get("aliases", ())
        if "negation" in self.entry:
            yield self.entry["negation"]
            yield from self.entry.get("otherNegations", ())


class _Masks(dict[str, int]):
    """Spans, each to one bit for every release that it holds."""

    def __init__(self, places: Mapping[str, int]) -> None:
        super().__init__()
        self._places = places

    def __missing__(self, spans: str) -> int:
        mask = 0
        for span in spans.split():
            first, last = span.split(":")
            end = self._places[last] if last else len(self._places) - 1
            mask |= (1 << end + 1) - (1 << self._places[first])
        self[spans] = mask
        return mask


class ContractTable:
    """The contracts of one engine. A span is `FIRST:LAST`, or `FIRST:` to the newest; spaces divide several."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table
        self.releases: tuple[str, ...] = tuple(table["releases"])
        self._places = {release: place for place, release in enumerate(self.releases)}
        self._masks = _Masks(self._places)

    def raw(self, release: str) -> dict[str, Any]:
        """Everything that the table says of a release, as its generator gave it; KeyError for an unknown one."""
        flags: dict[str, dict[str, Any]] = {}
        for row in self.flags(release):
            lists = {"choices": row.choices, "values": row.values}
            flags[row.name] = {**row.entry, **{part: list(kept) for part, kept in lists.items() if kept}}
        return {**self.parts(release), "flags": flags}

    def parts(self, release: str) -> dict[str, Any]:
        """What the table says of a release besides its flags."""
        table, bit = self._table, 1 << self._places[release]
        return {
            "engine": table["engine"],
            "version": release,
            "source": table["releases"][release],
            **{part: self._value(table[part], bit) for part in ("command", "batchDefaults", "image", "dotted")},
            **{part: self._names(table[part], bit) for part in ("paths", "env")},
            **{part: dict(self._rows(table[part], bit)) for part in ("models", "dropped", "metrics")},
        }

    def rows(self, part: str, release: str) -> dict[str, Any]:
        """The rows of a part of the table that hold for a release, by name."""
        return dict(self._rows(self._table[part], 1 << self._places[release]))

    def flags(self, release: str) -> Iterator[FlagRow]:
        """Every flag of a release."""
        bit = 1 << self._places[release]
        choices, values = (self._lists(part, bit) for part in ("choices", "values"))
        for name, entry in self._rows(self._table["flags"], bit):
            yield FlagRow(name, entry, id(entry), choices.get(name), values.get(name))

    def releases_serving(self, architecture: str) -> tuple[str, ...]:
        """Releases that have a class of that name, oldest first."""
        spans = self._table["models"].get(architecture, ())
        mask = 0
        for span in spans:
            mask |= self._masks[span]
        return tuple(release for place, release in enumerate(self.releases) if mask >> place & 1)

    def releases_with(self, name: str) -> tuple[str, ...]:
        """Releases that have a flag, variable or metric of that name, oldest first."""
        mask = self._masks[self._table["env"].get(name, "")] | self._options.get(name, 0)
        for span in self._table["metrics"].get(name, ()):
            mask |= self._masks[span]
        return tuple(release for place, release in enumerate(self.releases) if mask >> place & 1)

    @cached_property
    def _options(self) -> Mapping[str, int]:
        """Every option string to the releases that have it."""
        options: dict[str, int] = {}
        for name, row in self._table["flags"].items():
            for span, flag in row.items():
                others = (*flag.get("aliases", ()), *flag.get("otherNegations", ()))
                for spelling in filter(None, (name, flag.get("negation"), *others)):
                    options[spelling] = options.get(spelling, 0) | self._masks[span]
        return options

    def _value(self, row: Mapping[str, Any], bit: int) -> Any:
        return next((value for span, value in row.items() if self._masks[span] & bit), None)

    def _rows(self, part: Mapping[str, Mapping[str, Any]], bit: int) -> Iterator[tuple[str, Any]]:
        for name, row in part.items():
            for span, value in row.items():
                if self._masks[span] & bit:
                    yield name, value

    def _names(self, part: Mapping[str, str], bit: int) -> list[str]:
        return [name for name, span in part.items() if self._masks[span] & bit]

    def _lists(self, part: str, bit: int) -> dict[str, tuple[str, ...]]:
        lists = ((name, self._names(values, bit)) for name, values in self._table[part].items())
        return {name: tuple(kept) for name, kept in lists if kept}
