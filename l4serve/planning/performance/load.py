"""A load on an engine: how long requests are, and how they come."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from itertools import cycle
from math import exp
from statistics import NormalDist
from typing import Literal

from l4serve.config.frozen import frozen

CLIP_LOW, CLIP_HIGH = 1 / 16, 16.0
CROWD_SPREAD = (1.0, 0.8)
"""Sigma of prompts and of answers of a crowd."""
GOLDEN = 0.6180339887498949
PLASTIC = (0.7548776662466927, 0.5698402909980532)


@frozen(slots=True, kw_only=True)
class Load:
    """Requests of `input_tokens` and `output_tokens`, from `clients` that each wait for their answer, or coming at
    `rate` a second whoever waits, with gaps of this squared coefficient of variation (1: without memory).

    With a spread, the lengths are medians of lognormal distributions of that sigma, cut at a sixteenth and at sixteen
    times the median. None leaves the spread to the load: fixed lengths, and those of a crowd where more clients ask
    than an engine runs at once by itself (`crowd.py`).
    """

    input_tokens: int
    output_tokens: int
    clients: int | None = None
    rate: float | None = None
    input_spread: float | None = None
    output_spread: float | None = None
    arrival_cv2: float = 1.0

    @property
    def kind(self) -> Literal["closed", "open"]:
        """Whether a fixed number of clients waits for answers, or requests come at a rate."""
        return "closed" if self.rate is None else "open"

    @property
    def mean_input(self) -> float:
        """Mean length of a prompt."""
        return self.input_tokens * _mean_factor(self.input_spread)

    @property
    def mean_output(self) -> float:
        """Mean length of an answer."""
        return self.output_tokens * _mean_factor(self.output_spread)

    def lengths(self, longest: int) -> Iterator[tuple[int, int]]:
        """Lengths of prompt and answer, without end, evenly spread over their distributions and the same each time.

        None of them passes `longest` tokens together.
        """
        if not self.input_spread and not self.output_spread:
            pair = (max(1, min(self.input_tokens, longest - 1)), max(1, min(self.output_tokens, longest - 1)))
            while True:
                yield pair
        yield from _varied(self, longest)

    def arrivals(self) -> Iterator[float]:
        """Seconds at which the requests of an open load come, and the same each time: without memory, as from many who
        know nothing of each other, or with gaps of a gamma distribution that vary less or more."""
        assert self.rate is not None, "a closed load has no rate"
        now = 0.0
        for gap in cycle(_gaps(self.arrival_cv2)):
            now += gap / self.rate
            yield now


ARRIVALS = 2500
"""Gaps that are drawn, more than a load that is served takes; after them the same come again."""


@lru_cache(maxsize=16)
def _gaps(varied: float) -> tuple[float, ...]:
    """Gaps between requests of a rate of one, with this squared coefficient of variation."""
    draws = random.Random(0)  # noqa: S311 - arrivals of a model, no secret
    if varied == 1.0:
        return tuple(draws.expovariate(1.0) for _ in range(ARRIVALS))
    return tuple(draws.gammavariate(1 / varied, varied) if varied else 1.0 for _ in range(ARRIVALS))


def _varied(load: Load, longest: int) -> Iterator[tuple[int, int]]:
    spreads = load.input_spread or 0.0, load.output_spread or 0.0
    drawn, more = _drawn(load.input_tokens, load.output_tokens, *spreads, longest)
    at = 0
    while True:
        if at == len(drawn):
            drawn.append(next(more))
        yield drawn[at]
        at += 1


@lru_cache(maxsize=64)
def _drawn(
    prompt: int, output: int, spread: float, output_spread: float, longest: int
) -> tuple[list[tuple[int, int]], Iterator[tuple[int, int]]]:
    """The lengths that were drawn so far, and those to come: many runs ask for the same."""
    return [], _draws(prompt, output, spread, output_spread, longest)


def _draws(prompt: int, output: int, spread: float, output_spread: float, longest: int) -> Iterator[tuple[int, int]]:
    normal = NormalDist()
    x = y = 0.5
    while True:
        x, y = (x + PLASTIC[0]) % 1, (y + PLASTIC[1]) % 1
        tokens = min(_draw(normal, x, prompt, spread), longest - 1)
        yield tokens, min(_draw(normal, y, output, output_spread), longest - tokens)


def _draw(normal: NormalDist, at: float, median: int, spread: float) -> int:
    if not spread:
        return max(1, median)
    factor = exp(spread * normal.inv_cdf(min(max(at, 1e-6), 1 - 1e-6)))
    return max(1, round(median * min(max(factor, CLIP_LOW), CLIP_HIGH)))


def _mean_factor(spread: float | None) -> float:
    """Mean of a lognormal over its median; the cut takes little of it."""
    return exp((spread or 0.0) ** 2 / 2)
