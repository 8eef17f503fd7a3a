"""When requests come that come at a rate: the gaps of their distribution, in an order in which few wait as many would.

What some hundred requests wait whose gaps are drawn is a matter of luck: at 90 % of the most that is served the mean is
off by half of it and more. In the order of `data/arrivals.yaml` they wait in queues before any number of places as long
as in the mean of many draws, up to their 99th percentile (`benchmarks/arrival_order.py` settles it).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache, lru_cache
from math import log
from statistics import fmean

from l4serve.config.data_file import load_data

LEAST = 1e-6
DRAWN = 25
"""Gaps drawn for each that is taken, of a distribution whose quantiles have no formula."""


@cache
def orders() -> Mapping[float, tuple[int, ...]]:
    """By the squared coefficient of variation that it was settled for, the rank of each gap among all, from the
    shortest, 0."""
    return {float(varied): tuple(ranks) for varied, ranks in load_data(__file__, "arrivals.yaml")["orders"].items()}


def order(varied: float) -> tuple[int, ...]:
    """The order of the nearest variation; of gaps that do not vary any is the same."""
    every = orders()
    return every[min(every, key=lambda known: abs(log(max(varied, LEAST) / known)))]


@lru_cache(maxsize=16)
def gaps(varied: float) -> tuple[float, ...]:
    """Gaps between requests of a rate of one: without memory, or of a gamma distribution with another squared
    coefficient of variation than 1."""
    ranks = order(varied)
    sizes = quantiles(varied, len(ranks))
    return tuple(sizes[rank] for rank in ranks)


def quantiles(varied: float, count: int) -> list[float]:
    """So many gaps that stand for their distribution, the shortest first; their mean is one."""
    if varied == 1.0:
        found = [-log(1 - (rank + 0.5) / count) for rank in range(count)]
    else:
        draws = random.Random(0)  # noqa: S311 - arrivals of a model, no secret
        drawn = sorted(draws.gammavariate(1 / varied, varied) if varied else 1.0 for _ in range(DRAWN * count))
        found = [fmean(drawn[at : at + DRAWN]) for at in range(0, len(drawn), DRAWN)]
    mean = fmean(found)
    return [gap / mean for gap in found]
