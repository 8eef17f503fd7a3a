"""An engine with every place taken and somebody always waiting: what it makes, from a short look at its steady state.

Requests whose lengths vary lose their wave after a few answers. The engine therefore begins in the middle of its work:
each running request has a part of its answer behind it, and long answers are met more often than short ones. What the
look saw too many or too few of, prompts to be computed, is set right by what a token of them takes.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from math import ceil, exp, inf

from l4serve.config.frozen import frozen
from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.load import GOLDEN, Load
from l4serve.planning.performance.loop_state import Limits, Observed, Request
from l4serve.planning.performance.step_time import StepClock

WARM_UP, LOOKED_AT = 32, 160
"""Requests that end before the look, and during it."""
SAMPLE = 512
"""Requests whose mean lengths stand for all."""


@frozen(kw_only=True)
class Pace:
    """What an engine makes: requests a second, tokens of an answer, seconds of a token and of all after the first one,
    requests that run at once, and the shares of time that a limit held somebody back."""

    requests: float
    output: float
    itl: float
    decoding: float
    running: float
    held_by: tuple[tuple[str, float], ...]

    def slowed(self, times: float) -> Pace:
        """The pace of an engine whose steps all take so many times as long."""
        return replace(self, requests=self.requests / times, itl=self.itl * times, decoding=self.decoding * times)

    def seen_by(self, clients: int) -> Observed:
        """What so many clients see, each with one request at a time: by Little's law those who wait, wait longer."""
        total = clients / self.requests
        return Observed(
            ttft=total - self.decoding,
            itl=self.itl,
            decoded=1 if self.itl else 0,
            total=total,
            tokens=self.output,
            requests=1,
            running=self.running,
            busy=1.0,
            held_by=dict(self.held_by),
        )


def pace_of(seen: Observed, clients: int) -> Pace:
    """The pace that so many clients saw."""
    return Pace(
        requests=clients * seen.requests / seen.total,
        output=seen.tokens / seen.requests,
        itl=seen.itl / seen.decoded if seen.decoded else 0.0,
        decoding=(seen.total - seen.ttft) / seen.requests,
        running=seen.running / (seen.busy + seen.idle),
        held_by=tuple((reason, part / seen.busy) for reason, part in seen.held_by.items()),
    )


@lru_cache(maxsize=64)
def _mean_lengths(load: Load, longest: int) -> tuple[float, float]:
    """Mean tokens of a prompt and of an answer."""
    sample = list(islice(load.lengths(longest), SAMPLE))
    prompts, answers = zip(*sample, strict=True)
    return sum(prompts) / SAMPLE, sum(answers) / SAMPLE


class FullEngine(EngineLoop):
    """An engine in its steady state with a queue that never ends."""

    def __init__(self, clock: StepClock, limits: Limits, load: Load) -> None:
        super().__init__(clock, limits, load)
        self.skip = WARM_UP
        self.made = self.after = self.spent = self.beyond = 0.0
        """Tokens that were made, seconds that requests were past their first token, seconds in all, and those that
        prompts added to them."""
        self.prompts = self.fresh = 0
        """Tokens of prompts that were computed, and those of them that were for the first time."""
        self.put_back = 0
        """Requests that wait to be computed anew."""

    def look(self, looked_at: int = LOOKED_AT) -> Pace:
        """The pace of the steady state, from so many requests that end."""
        prompt, output = _mean_lengths(self.load, self.limits.longest)
        prompt -= self.limits.shared
        self._fill(prompt / output)
        places = self.decoding
        self.sent.extend(0.0 for _ in range(self.decoding // 4 + 16))
        while self.finished < WARM_UP:
            self._advance()
        # A step may end many at once; equal requests do the same again after each has had its turn.
        enough = looked_at if self.load.input_spread or self.load.output_spread else max(WARM_UP, 2 * places)
        most = self.finished + min(looked_at, enough)
        while self.finished < most:
            self._advance()
        lacking = self.made * prompt / output - self.fresh
        seconds = self.spent + (lacking * self.beyond / self.prompts if self.prompts else 0.0)
        requests = self.made / output / seconds
        decoding = self.after / self.spent / requests if output > 1 else 0.0
        return Pace(
            requests=requests,
            output=output,
            itl=decoding / (output - 1) if output > 1 else 0.0,
            decoding=decoding,
            running=self.seen.running / self.spent,
            held_by=tuple((reason, part / self.spent) for reason, part in self.seen.held_by.items()),
        )

    def _fill(self, prompts: float) -> None:
        """Requests in the middle of their answers, with so many tokens of prompts for each token of an answer."""
        load, limits = self.load, self.limits
        met = replace(load, output_tokens=max(1, round(load.output_tokens * exp(load.output_spread**2))))
        by_tokens = limits.batched_tokens / (1 + prompts) if limits.chunks else inf
        part = 0.5
        for prompt, output in met.lengths(limits.longest):
            part = (part + GOLDEN) % 1
            done = int(part * output)
            if (limit := self._full(by_tokens, prompt + done)) is not None:
                self.seen.touched.add(limit)
                self.seen.most_tokens = ceil(self.decoding * (1 + prompts)) if limits.chunks else 0
                self.seen.most_cached, self.seen.most_sequences = self._own(), self.decoding
                return
            self.decoding += 1
            self.cached += prompt + done
            self.held.add(-prompt - done)
            self.serial += 1
            request = Request(0.0, prompt + done, output, prompt + done, output - done, -prompt - done)
            request.first, request.serial = 0.0, self.serial
            self.running.append(request)
            heapq.heappush(self.ends, (request.left, self.serial, request))

    def _full(self, by_tokens: float, more: int) -> str | None:
        """The limit that leaves no place for a request with so many tokens in the cache."""
        if self.decoding >= min(by_tokens, self.limits.sequences):
            return "tokens" if by_tokens < self.limits.sequences else "sequences"
        left = self.limits.cache_tokens - self._own() - self.held.whole(more - self.limits.shared)
        return "cache" if left < self.decoding * self.limits.block and left < self.held.room(0) else None

    def _schedule(self) -> tuple[float, float, int, list[Request]]:
        attended, windowed, prefilled, first = super()._schedule()
        if prefilled and self.finished >= self.skip:
            decoding = self.decoding if self.limits.chunks else 0
            seconds = self.clock.bare(decoding + prefilled, decoding + len(first))
            alone = self.clock.bare(decoding, decoding) if decoding else 0.0
            self.beyond += seconds - alone + self.clock.prompt(attended, windowed)
            self.prompts += prefilled
        return attended, windowed, prefilled, first

    def _attend(self, request: Request, tokens: int, attended: float, windowed: float) -> tuple[float, float]:
        if request.first < 0 and self.finished >= self.skip:
            self.fresh += tokens
        return super()._attend(request, tokens, attended, windowed)

    def _pass(self, seconds: float, steps: int, count: int = 1, beside: int = 0) -> None:
        if self.finished >= self.skip:
            self.made += self.decoding * steps * count + beside
            self.after += (self.decoding + self.put_back) * seconds
            self.spent += seconds
        super()._pass(seconds, steps, count, beside)

    def _start(self, request: Request) -> None:
        if request.first >= 0:
            self.put_back -= 1
        super()._start(request)

    def _preempt(self) -> None:
        self.put_back += 1
        super()._preempt()
