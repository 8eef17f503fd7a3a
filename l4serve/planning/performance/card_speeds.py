"""What a card reads, computes and exchanges in a second, from `data/card_speeds.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.planning.memory.generations import parse_version

GIGA = 10**9
TERA = 10**12
MICRO = 1e-6
HOSTS = 1.8
"""How many times as long, or as short, another host takes to launch what no graph holds. A layer of eager kernels took
0.26 ms on an H100 (cloudai.pt/tag/cuda-graphs, collected 2026-11-26), 0.79 ms on an A800 (vllm-project/vllm-omni#7960,
2026-09-22), and 0.35 to 0.8 ms in eleven loads on an H100 (benchmarks/performance/server_points.jsonl)."""
SLOWER_STEP = 1.4
"""How many times as long another host takes for a step of full graphs, of which the card does little."""
FASTER_STEP = 1.3
"""How many times as short another one takes: 1.7 ms for a token of OLMoE, of which 2.3 are said (host_points.jsonl)."""
NEARLY = 0.95
"""The share of a token's time from which the host's is taken for all of it."""


@frozen()
class BlockKernel:
    """The kernel that multiplies FP8 weights with one scale for each block of them: the share that it gets of the rate
    of a kernel with one scale for all, the rows that it computes at once, however few tokens there are, and the
    seconds more for each layer of a step of one token, and of more. One that `unpacks` makes the weights 16-bit first,
    so its share is of the rate of such weights."""

    share: float
    rows: int
    alone: float
    layer: float
    unpacks: bool = False


@frozen()
class Launches:
    """Seconds that the host takes to launch one layer of a step that no full graph holds, and how much more where no
    part of a graph does either: for any layer of eager kernels or of compiled ones, for experts, for latent attention,
    for adapters."""

    layer: float
    eager: float
    compiled: float
    experts: float
    latent: float
    adapters: float

    def faster(self, times: float) -> Launches:
        """By a host that is so many times as fast."""
        return Launches(*(getattr(self, part.name) / times for part in fields(self)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CardSpeed:
    """Achieved figures of one card: bytes, operations and 4-bit weights a second.

    `operations` has one rate for each type that the card multiplies, and under `unpacked` that of weights which are
    made 16-bit first, where it was measured. `link_bytes` and `link_latency` (seconds) are those of two cards of one
    machine; `link_one_shot` is whether that latency is the same between more. `measured` says whether the figures are
    of such a card, or a share of its datasheet.
    """

    name: str
    read_bytes: float
    operations: Mapping[str, float]
    unpacked_weights: float
    block_kernels: Mapping[tuple[int, int, int], BlockKernel]
    """The kernels of FP8 weights with a scale for each block, by the first release that takes them."""
    link_bytes: float
    link_latency: float
    link_one_shot: bool
    launches: Launches
    measured: bool
    bounds: Mapping[str, tuple[float, float]]
    """The card's own shares by which figures may be wrong, where they are other ones."""
    source: str

    def block_kernel(self, release: tuple[int, int, int]) -> BlockKernel | None:
        """The kernel that a release takes for FP8 weights with a scale for each block of them."""
        since = [first for first in self.block_kernels if first <= release]
        return self.block_kernels[max(since)] if since else None

    def rate(self, kind: str) -> float:
        """Dense operations a second for a type; of one that the card does not multiply, those of 16 bits."""
        return self.operations.get(kind, self.operations["bfloat16"])


@lru_cache(maxsize=256)
def sped_up(
    card: CardSpeed, *, read: float = 1.0, compute: float = 1.0, link: float = 1.0, host: float = 1.0
) -> CardSpeed:
    """A card that reads, computes, exchanges or is given its kernels so many times as fast; always the same object."""
    return replace(
        card,
        read_bytes=read * card.read_bytes,
        operations={kind: compute * rate for kind, rate in card.operations.items()},
        unpacked_weights=compute * card.unpacked_weights,
        link_bytes=link * card.link_bytes,
        link_latency=card.link_latency / link,
        launches=card.launches.faster(host),
    )


@cache
def all_card_speeds() -> Mapping[str, CardSpeed]:
    """Every card whose speed is known, by the name of its accelerator."""
    table = load_data(__file__, "card_speeds.yaml")
    return {name: _speed(name, row, table) for name, row in table["cards"].items()}


def _speed(name: str, row: Mapping[str, Any], table: Mapping[str, Any]) -> CardSpeed:
    share, achieved = table["share"], row.get("achieved", {})
    derived = {key: value * share["memory" if key == "readGbS" else key] for key, value in row["datasheet"].items()}
    figures = {**derived, **achieved}
    return CardSpeed(
        name=name,
        read_bytes=figures.pop("readGbS") * GIGA,
        operations={key: value * TERA for key, value in figures.items()},
        unpacked_weights=row["unpack"] * TERA,
        block_kernels={
            parse_version(first): _block_kernel(table["blockFp8"][kernel])
            for first, kernel in row.get("blockFp8", {}).items()
        },
        link_bytes=row["link"]["gbS"] * GIGA,
        link_latency=row["link"]["latencyUs"] * MICRO,
        link_one_shot=row["link"].get("oneShot", False),
        launches=Launches(**{part.name: table["launch"][f"{part.name}Us"] * MICRO for part in fields(Launches)}),
        measured="readGbS" in achieved,
        bounds=row.get("bounds", {}),
        source=str(row["source"]),
    )


def _block_kernel(row: Mapping[str, Any]) -> BlockKernel:
    return BlockKernel(
        share=row["share"],
        rows=row["rows"],
        alone=row["aloneUs"] * MICRO,
        layer=row["layerUs"] * MICRO,
        unpacks=row.get("unpacks", False),
    )


@frozen()
class Span:
    """The shares by which a figure may be less, and more, than is said."""

    less: float = 0.0
    more: float = 0.0

    def at(self, side: int) -> float:
        """What the figure is multiplied by at its lowest (-1) or highest (1)."""
        return 1 - self.less if side < 0 else 1 + self.more

    def wider(self, other: Span) -> Span:
        """The wider of both to each side."""
        return Span(max(self.less, other.less), max(self.more, other.more))


@frozen()
class Bound:
    """How far each figure may be from what is said: the time of a token, tokens and requests a second, and the wait for
    the first token, which another host also makes some milliseconds shorter or longer."""

    token: Span = Span()
    rate: Span = Span()
    wait: Span = Span()
    host_ms: Span = Span()

    def paced(self, host_ms: float, token_ms: float, *, slower: float, faster: float) -> Bound:
        """The bound where the host takes so many milliseconds for a step: another one takes longer, which comes out
        where the card takes no longer yet, or less long where the card waits for it."""
        late = max(1.0, slower * host_ms / token_ms)
        soon = faster if host_ms > NEARLY * token_ms else 1.0
        return Bound(
            token=Span(1 - (1 - self.token.less) / soon, (1 + self.token.more) * late - 1),
            rate=Span(1 - (1 - self.rate.less) / late, (1 + self.rate.more) * soon - 1),
            wait=self.wait,
            host_ms=Span(self.host_ms.less, self.host_ms.more + (slower - 1) * host_ms),
        )

    def delayed(self, launched: float, step: float) -> Bound:
        """The bound where the host launches a step of prompts that takes so long: another one may launch it later than
        the card is done with it."""
        late = max(1.0, HOSTS * launched / step)
        return replace(self, wait=Span(self.wait.less, (1 + self.wait.more) * late - 1))

    def wider(self, other: Bound) -> Bound:
        """The wider of both for each figure."""
        return Bound(
            token=self.token.wider(other.token),
            rate=self.rate.wider(other.rate),
            wait=self.wait.wider(other.wait),
            host_ms=self.host_ms.wider(other.host_ms),
        )

    @property
    def slower(self) -> float:
        """The share by which the card's steps may take longer."""
        return self.token.more


def bound_of(speed: CardSpeed, gpus: int) -> Bound:
    """The bound of an estimate: what held-out points err by, an unmeasured card, an unmeasured link."""
    bounds = load_data(__file__, "card_speeds.yaml")["bounds"]
    row = bounds["several" if gpus > 1 else "measured" if speed.measured else "derived"]
    if speed.measured and gpus == 1:
        row = {**row, **speed.bounds}
    return Bound(host_ms=Span(*bounds["hostMs"]), **{figure: Span(*shares) for figure, shares in row.items()})
