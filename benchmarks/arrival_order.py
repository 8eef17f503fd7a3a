"""Settles the orders of the gaps between requests that come at a rate, so that one run of them waits as many would.

    python -m benchmarks.arrival_order
    python -m benchmarks.arrival_order --rounds 12000 --write --cv2 1
    python -m benchmarks.arrival_order --rounds 4000 --write --cv2 4

The queues are those of the textbook: requests whose gaps have a squared coefficient of variation (1: without memory)
before a number of places, each taken for the same time or for one of the lengths of a load. Each order is held against
their waits over many draws of gaps (mean, 90th, 95th and 99th percentile), and two gaps change their places for as long
as it comes closer; it begins as the order that is there for the nearest variation. No figure of an engine is in it.
Prints how far off each order is, in queues that it was settled by and in others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np

from l4serve.planning.performance import arrivals
from l4serve.planning.performance.followed import WARM_UP
from l4serve.planning.performance.load import Load

FILE = Path(arrivals.__file__).parent / "data" / "arrivals.yaml"
COUNT, DRAWS = 640, 1500
"""Gaps that are put in order, and draws of as many of which a queue's waits are the mean."""
PERCENTILES = (90, 95, 99)
WEIGHTS = np.array([1.5, 0.5, 1.0, 1.0])
"""What the mean and each percentile count."""
BESIDE = 0.06
"""What a first token takes beside the wait for a place, as a share of the time for which the place is taken."""
EQUAL, TOKENS = 0.0, 10_000


@dataclass(frozen=True)
class Queues:
    """Queues before places, each with a load (a share of the most that is served) and a spread of lengths; a single
    place is that of prompts, whose first token waits for the prompt too."""

    places: Sequence[int]
    loads: Sequence[float]
    spreads: Sequence[float]

    @cached_property
    def each(self) -> list[tuple[int, float, float]]:
        """Places, load and spread of every queue."""
        return [(c, load, spread) for c in self.places for load in self.loads for spread in self.spreads]

    @cached_property
    def taken(self) -> np.ndarray:
        """For how long each request takes its place, by queues and requests; one in the mean."""
        times = np.array([_lengths(spread, prompts=places == 1) for places, _, spread in self.each])
        return times / times.mean(axis=1, keepdims=True)

    def waits(self, gaps: np.ndarray) -> np.ndarray:
        """What each request waits that is measured, by queues and requests."""
        places, loads = (np.array([each[part] for each in self.each]) for part in (0, 1))
        free = np.where(np.arange(max(self.places)) < places[:, None], 0.0, np.inf)
        come = np.cumsum(gaps) / (places * loads)[:, None]
        waits, queues = np.empty_like(come), np.arange(len(places))
        for at in range(COUNT):
            first = free.argmin(axis=1)
            begins = np.maximum(come[:, at], free[queues, first])
            waits[:, at] = begins - come[:, at]
            free[queues, first] = begins + self.taken[:, at]
        return (waits + self.taken * (places == 1)[:, None])[:, WARM_UP:]

    def drawn(self, varied: float, draws: int) -> np.ndarray:
        """Mean and percentiles of the waits over many draws of gaps, by queues."""
        chance = np.random.default_rng(0)
        every = (chance.gamma(1 / varied, varied, COUNT) for _ in range(draws))
        return figures(np.concatenate([self.waits(gaps) for gaps in every], axis=1))

    def errors(self, gaps: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """How far first tokens are from those of many draws, as logarithms: too early by a half is as far as twice."""
        beside = np.array([0.0 if places == 1 else BESIDE for places, _, _ in self.each])[:, None]
        return np.log((figures(self.waits(gaps)) + beside) / (drawn + beside))


SETTLED_BY = (
    Queues((1, 2, 3, 4, 6, 8, 11, 15, 20, 28, 40, 60), (0.5, 0.65, 0.74, 0.8, 0.85, 0.9, 0.95), (EQUAL,)),
    Queues((1, 2, 5, 12, 28), (0.5, 0.65, 0.75, 0.82, 0.89, 0.95), (0.5, 1.0)),
)
HELD_OUT = (
    Queues((1, 2, 5, 10, 18, 35, 50), (0.6, 0.7, 0.78, 0.87, 0.93), (EQUAL,)),
    Queues((1, 3, 8, 20), (0.6, 0.7, 0.78, 0.87, 0.93), (0.3, 0.8)),
)


def _lengths(spread: float, *, prompts: bool) -> list[int]:
    load = Load(input_tokens=TOKENS, output_tokens=TOKENS, input_spread=spread, output_spread=spread)
    return [pair[0 if prompts else 1] for pair in islice(load.lengths(sys.maxsize), COUNT)]


def figures(waits: np.ndarray) -> np.ndarray:
    """Mean and percentiles, by queues."""
    ranks = np.ceil(waits.shape[1] * np.array(PERCENTILES) / 100).astype(int) - 1
    return np.column_stack([waits.mean(axis=1), np.partition(waits, ranks, axis=1)[:, ranks]])


def settled(order: np.ndarray, varied: float, rounds: int) -> np.ndarray:
    """The order after so many tries to let two gaps, near each other or not, change their places."""
    chance, sizes = np.random.default_rng(1), np.array(arrivals.quantiles(varied, COUNT))
    drawn = [queues.drawn(varied, DRAWS) for queues in SETTLED_BY]

    def missed(tried: np.ndarray) -> float:
        pairs = zip(SETTLED_BY, drawn, strict=True)
        return sum(float((WEIGHTS * queues.errors(sizes[tried], means) ** 2).sum()) for queues, means in pairs)

    least = missed(order)
    for number in range(rounds):
        tried, one = order.copy(), chance.integers(COUNT)
        other = chance.integers(COUNT) if number % 3 else (one + chance.integers(1, 10)) % COUNT
        tried[[one, other]] = tried[[other, one]]
        if (now := missed(tried)) < least:
            order, least = tried, now
    return order


def written(orders: Mapping[float, Sequence[int]]) -> str:
    """The data file."""
    lines = [
        "# By the squared coefficient of variation of the gaps between requests at a rate: the rank of each gap, from",
        "# the shortest, 0; settled by python -m benchmarks.arrival_order --write",
        "orders:",
    ]
    for varied, order in sorted(orders.items()):
        rows = (", ".join(map(str, order[at : at + 24])) for at in range(0, len(order), 24))
        lines += [f"  {varied}: [", *(f"    {row}," for row in rows), "  ]"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Prints the errors of each order, after settling one anew where rounds are given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--cv2", type=float, action="append", help="of these alone")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    orders = dict(arrivals.orders())
    for varied in asked.cv2 or orders:
        order = np.array(arrivals.order(varied))
        orders[varied] = tuple(int(rank) for rank in settled(order, varied, asked.rounds))
        _tell(varied, orders[varied])
    if asked.write:
        FILE.write_text(written(orders), encoding="utf-8")
    return 0


def _tell(varied: float, order: Sequence[int]) -> None:
    """Prints how far off an order is."""
    gaps = np.array(arrivals.quantiles(varied, COUNT))[list(order)]
    for name, every in (("settled by", SETTLED_BY), ("held out", HELD_OUT)):
        errors = np.concatenate([queues.errors(gaps, queues.drawn(varied, DRAWS)) for queues in every])
        told = ("mean", *(f"{percentile}th percentile" for percentile in PERCENTILES))
        parts = (
            f"{title} {100 * part:.1f} %" for title, part in zip(told, np.sqrt((errors**2).mean(axis=0)), strict=True)
        )
        print(f"{varied:<5g}{name + ':':<12}{', '.join(parts)} (root of the mean square)")


if __name__ == "__main__":
    sys.exit(main())
