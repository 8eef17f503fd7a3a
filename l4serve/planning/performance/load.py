"""A load on an engine: how long requests are, and how they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import cycle
from math import exp
from statistics import NormalDist
from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.config.refusals.problems import refuse
from l4serve.planning.performance.arrivals import gaps

CLIP_LOW, CLIP_HIGH = 1 / 16, 16.0
CROWD = 256
"""Clients beyond whom some are a crowd, and twice of whom all are: what vLLM runs at once by itself on an L4."""
CROWD_SPREAD = (1.0, 0.8)
"""Sigma of prompts and of answers of a crowd: the saturation load of bytes-per-token."""
GOLDEN = 0.6180339887498949
PLASTIC = (0.7548776662466927, 0.5698402909980532)


@frozen(kw_only=True)
class Load:
    """Requests of `input_tokens` and `output_tokens`, from `clients` that each wait for their answer and ask anew, or
    coming at `rate` a second whoever waits, with gaps of this squared coefficient of variation (1: without memory). In
    a `burst` each client asks once.

    With a spread, the lengths are medians of lognormal distributions of that sigma, cut at a sixteenth and at sixteen
    times the median. `crowd` is the share of the requests whose lengths have a crowd's spread instead.
    """

    input_tokens: int
    output_tokens: int
    clients: int | None = None
    rate: float | None = None
    input_spread: float = 0.0
    output_spread: float = 0.0
    crowd: float = 0.0
    arrival_cv2: float = 1.0
    burst: bool = False
    shared_tokens: int = 0
    """Tokens of every prompt that are the same in all, at its beginning; the spread is of the others."""

    @property
    def kind(self) -> Literal["closed", "open", "burst"]:
        """Whether clients ask anew when they are answered, requests come at a rate, or all come at once and no more."""
        return "open" if self.rate is not None else "burst" if self.burst else "closed"

    @property
    def mean_input(self) -> float:
        """Mean length of a prompt."""
        return self.shared_tokens + self.own_tokens * self._mean_factor(self.input_spread, CROWD_SPREAD[0])

    @property
    def own_tokens(self) -> int:
        """Tokens of a prompt behind those that are the same in all."""
        return self.input_tokens - self.shared_tokens

    @property
    def mean_output(self) -> float:
        """Mean length of an answer."""
        return self.output_tokens * self._mean_factor(self.output_spread, CROWD_SPREAD[1])

    def _mean_factor(self, own: float, crowd: float) -> float:
        """Mean of a lognormal over its median; the cut takes little of it."""
        return (1 - self.crowd) * exp(own**2 / 2) + self.crowd * exp(crowd**2 / 2)

    @property
    def longest_request(self) -> int:
        """Tokens of the longest request, prompt and answer together."""
        spreads = (self.own_tokens, self.input_spread), (self.output_tokens, self.output_spread)
        return self.shared_tokens + sum(
            int(tokens * CLIP_HIGH) if spread or self.crowd else tokens for tokens, spread in spreads
        )

    @property
    def spread(self) -> tuple[float, float, float]:
        """Sigma of prompts and of answers, and the share of the requests that have it."""
        return (*CROWD_SPREAD, self.crowd) if self.crowd else (self.input_spread, self.output_spread, 1.0)

    @property
    def told(self) -> str:
        """The load in words: lengths, who asks, and how the lengths vary."""
        who = {
            "closed": f"{self.clients} at a time, each asking anew",
            "open": f"{self.rate:g} requests a second" if self.rate else "",
            "burst": f"{self.clients} at once and no more",
        }[self.kind]
        prompts, answers, share = self.spread
        sigma = f"{prompts:g}" if prompts == answers else f"{prompts:g} of prompts and {answers:g} of answers"
        whose = "lengths" if share == 1.0 else f"{100 * share:.0f} % of the lengths"
        varied = f"{whose} spread by sigma {sigma}" if prompts or answers else "equal lengths"
        same = f" ({self.shared_tokens} the same in all)" if self.shared_tokens else ""
        return f"{self.input_tokens} tokens in{same}, {self.output_tokens} out, {who}, {varied}"

    def lengths(self, longest: int) -> Iterator[tuple[int, int]]:
        """Lengths of prompt and answer, without end, evenly spread over their distributions and the same each time.

        None of them passes `longest` tokens together.
        """
        if not self.input_spread and not self.output_spread:
            pair = (max(1, min(self.input_tokens, longest - 1)), max(1, min(self.output_tokens, longest - 1)))
            while True:
                yield pair
        shared, longest = self.shared_tokens, min(longest, self.longest_request)
        yield from ((shared + own, output) for own, output in _varied(self, longest - shared))

    def arrivals(self) -> Iterator[float]:
        """Seconds at which the requests of an open load come, and the same each time: without memory, as from many who
        know nothing of each other, or with gaps of a gamma distribution that vary less or more."""
        return self.arrivals_after(0.0)

    def arrivals_after(self, share: float) -> Iterator[float]:
        """The same after this share of the gaps, which then come last."""
        assert self.rate is not None, "a closed load has no rate"
        now, every = 0.0, gaps(self.arrival_cv2)
        first = int(share * len(every))
        for gap in cycle(every[first:] + every[:first]):
            now += gap / self.rate
            yield now


def _varied(load: Load, longest: int) -> Iterator[tuple[int, int]]:
    drawn, more = _drawn(load.own_tokens, load.output_tokens, load.input_spread, load.output_spread, longest)
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


def spread_as_asked(load: Load, sigma: float | None) -> Load:
    """The load with lengths of this spread; unsaid they are equal, but those of a crowd that asks anew, which vary.

    It hangs on the load alone: every engine that is compared under it answers the same question.
    """
    if sigma is not None or load.burst:
        sigma = sigma or 0.0
        return replace(load, input_spread=sigma, output_spread=sigma, crowd=0.0)
    return replace(load, crowd=min(1.0, max(0.0, (load.clients or 0) / CROWD - 1)))


def sharing(load: Load, tokens: int) -> Load:
    """The load whose prompts begin with so many tokens that are the same in all; raises ConfigError where none is left
    to tell them apart."""
    if tokens >= load.input_tokens:
        message = f"a prompt of {load.input_tokens} tokens has none of its own beside {tokens} that all share"
        refuse("load", message, f"give --shared-prefix-tokens below {load.input_tokens}, or more --input-tokens")
    return replace(load, shared_tokens=tokens)
