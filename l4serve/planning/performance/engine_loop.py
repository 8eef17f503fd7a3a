"""An engine under a load, step by step: who runs, who waits, and when each request gets its tokens.

The scheduler is vLLM's: running sequences first, then prompts that were begun, then whoever waits, within the tokens
and sequences of one step and the blocks of the cache; the youngest gives its blocks back when they run out.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from math import inf

from l4serve.planning.performance.followed import followed
from l4serve.planning.performance.held_blocks import HeldBlocks
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.loop_state import Limits, Observed, Request
from l4serve.planning.performance.step_rows import steps_until, stretch
from l4serve.planning.performance.step_time import StepClock

MOST_QUEUED = 2000


class EngineLoop:
    """One engine under one load."""

    def __init__(self, clock: StepClock, limits: Limits, load: Load, arrivals: Iterator[float] | None = None) -> None:
        self.clock, self.limits, self.load = clock, limits, load
        self.lengths = load.lengths(limits.longest)
        self.now, self.step = 0.0, 0
        self.waiting: deque[Request] = deque()
        self.late: list[Request] = []
        """Requests that came after the step was scheduled which comes next."""
        self.scheduled = -inf
        """When the step was scheduled that has just passed, where whoever came before waits for nothing more."""
        self.prefilling: deque[Request] = deque()
        self.running: list[Request] = []
        self.ends: list[tuple[int, int, Request]] = []
        self.decoding = self.serial = self.cached = 0
        self.held = HeldBlocks(limits.block)
        self.each_more = limits.block - limits.shared
        """The most tokens for which a sequence has room beyond those that it reads, with its next one."""
        self.reserved = 0
        """Tokens for which sequences hold blocks, those of their next step among them; where all fit, no fewer."""
        self.window = clock.work.window
        self.seen = Observed()
        self.finished = self.skip = 0
        self.blocked = ""
        self.crowded = False
        """Whether sequences gave their blocks back for the next step, which then lets nobody in."""
        self.to_come = iter(()) if load.rate is None else arrivals or load.arrivals()
        self.sent: deque[float] = deque()
        """Seconds at which requests that are on their way reach the engine, in order."""

    def run(self) -> Observed:
        """The load until enough requests were seen; those of the first wave are left out."""
        requests = followed(self.load)
        self.skip = requests.left_out
        self.sent.extend(0.0 for _ in range(self.load.clients or 0))
        if self.load.rate is not None:
            self.sent.append(next(self.to_come))
        while self.finished < (requests.most if self.seen.touched else requests.calm):
            self._advance()
        self.seen.queued = len(self.waiting)
        self.seen.firsts.sort()
        self.seen.places.sort()
        return self.seen

    def _admit_arrivals(self) -> None:
        """Requests that have reached the engine join the queue; they were sent a little earlier."""
        busy = self.decoding or self.prefilling or self.waiting
        queue = self.late if busy and self.limits.ahead else self.waiting
        sent, now, scheduled, request = self.sent, self.now, self.scheduled, self.clock.rates.request
        while sent and sent[0] <= now:
            at = sent.popleft()
            prompt, output = next(self.lengths)
            (self.waiting if at <= scheduled else queue).append(
                Request(at - request, prompt, output, self.limits.shared, output)
            )
            if self.load.rate is not None and len(self.waiting) < MOST_QUEUED:
                sent.append(next(self.to_come))
        self.scheduled = -inf

    def _advance(self) -> None:
        if self.late:
            self.waiting.extend(self.late)
            self.late.clear()
        if self.sent and self.sent[0] <= self.now:
            self._admit_arrivals()
        self.reserved = self.cached + self.decoding * self.each_more
        self.crowded = self.reserved > self.limits.cache_tokens and self._make_room()
        if not (self.prefilling or self.waiting):
            if self.decoding:
                self._decode_on()
                return
            if self.finished >= self.skip:
                self.seen.idle += self.sent[0] - self.now
            self.now = self.sent[0]
            return
        attended, windowed, prefilled, first = self._schedule()
        if not prefilled and self.decoding:
            self._decode_on()
            return
        decoding = self.decoding if self.limits.chunks or not prefilled else 0
        seconds = self.clock.bare(decoding + prefilled, decoding + len(first)) + self.clock.prompt(attended, windowed)
        if decoding:
            _, each, each_windowed = self.clock.decode(decoding)
            seconds += each * self.cached + each_windowed * self._windowed()
            if self.limits.shared:
                seconds -= self.clock.near(decoding, each)
        seconds = max(seconds, self.clock.least(decoding + len(first)))
        self._pass(seconds, 1 if decoding else 0, beside=len(first))
        for request in first:
            self._start(request)
        if decoding:
            self._finish_due()

    def _schedule(self) -> tuple[float, float, int, list[Request]]:
        """The prompts of the next step: pairs of tokens that attention computes, tokens, and the prompts that end."""
        limits = self.limits
        budget = limits.batched_tokens - (self.decoding if limits.chunks else 0)
        attended = windowed = 0.0
        prefilled, first = 0, []
        held = self.reserved
        for request in tuple(self.prefilling):
            tokens = min(budget, request.prompt - request.done)
            if tokens <= 0:
                self.seen.touched.add("tokens")
                break
            attended, windowed = self._attend(request, tokens, attended, windowed)
            budget, prefilled = budget - tokens, prefilled + tokens
            held += self.held.whole(request.done - limits.shared)
            if request.done == request.prompt:
                first.append(request)
        while self.waiting and budget > 0:
            request = self.waiting[0]
            if self.decoding + len(self.prefilling) >= limits.sequences:
                self._block("sequences")
                break
            lacking = request.prompt - limits.shared
            asked = held + self.held.whole(lacking)
            if asked > limits.cache_tokens:
                spared = self.reserved - self._reserve()
                held, asked = held - spared, asked - spared
            if self.crowded or (asked > limits.cache_tokens and held):
                self._block("cache")
                break
            if asked > self.seen.most_cached:
                self.seen.most_cached = asked
            if not limits.chunks and lacking > budget and prefilled:
                self.seen.touched.add("tokens")
                break
            tokens = min(budget, lacking)
            self.waiting.popleft()
            if request.placed < 0:
                request.placed = self.now
            self.prefilling.append(request)
            attended, windowed = self._attend(request, tokens, attended, windowed)
            budget, prefilled, held = budget - tokens, prefilled + tokens, asked
            if request.done == request.prompt:
                first.append(request)
        else:
            if self.waiting:
                self._block("tokens")
        self.seen.stepped(limits.batched_tokens - budget, self.decoding + len(self.prefilling))
        if self.prefilling and self.prefilling[-1].done < self.prefilling[-1].prompt:
            self.seen.touched.add("tokens")
        for request in first:
            self.prefilling.remove(request)
        return attended, windowed, prefilled, first

    def _own(self) -> int:
        """Tokens that decoding sequences have in the cache beside those that all share."""
        return self.cached - self.limits.shared * self.decoding

    def _reserve(self) -> int:
        """Tokens for which sequences hold blocks, those of their next step among them, counted block by block."""
        held = self.held
        self.reserved = self._own() + held.room(self.step) + held.taken(self.step)
        return self.reserved

    def _block(self, limit: str) -> None:
        """Somebody waits for this limit."""
        self.blocked = limit
        self.seen.touched.add(limit)

    def _attend(self, request: Request, tokens: int, attended: float, windowed: float) -> tuple[float, float]:
        before = request.done
        request.done += tokens
        pairs = tokens * (before + tokens / 2)
        short = pairs if self.window is None else tokens * min(before + tokens / 2, self.window)
        return attended + pairs, windowed + short

    def _windowed(self) -> float:
        return 0.0 if self.window is None else min(self.cached, self.decoding * self.window)

    def _pass(self, seconds: float, steps: int, count: int = 1, beside: int = 0) -> None:
        seen = self.seen
        if self.finished >= self.skip:
            seen.running += (self.decoding + len(self.prefilling) + beside) * seconds
            seen.busy += seconds
            if self.waiting and self.blocked:
                seen.held_by[self.blocked] = seen.held_by.get(self.blocked, 0.0) + seconds
        self.now += seconds
        self.step += steps * count
        self.cached += self.decoding * steps * count

    def _start(self, request: Request) -> None:
        """The first token of a prompt that was computed; the rest is decoded."""
        if request.first < 0:
            request.first = self.now
        request.left -= 1
        if request.left <= 0:
            self._done(request)
            return
        request.ready = self.step - request.prompt
        self.decoding += 1
        self.cached += request.prompt
        self.held.add(request.ready)
        self.serial += 1
        request.serial = self.serial
        self.running.append(request)
        heapq.heappush(self.ends, (self.step + request.left, self.serial, request))

    def _decode_on(self) -> None:
        """Steps of decoding alone, as many as pass until something changes."""
        ends, decoding = self.ends, self.decoding
        while ends and ends[0][1] != ends[0][2].serial:
            heapq.heappop(ends)
        count = max(1, ends[0][0] - self.step)
        left = self.limits.cache_tokens - self._own()
        if decoding > 1 and (count + self.limits.block) * decoding > left:
            fit = self.held.steps(self.step, left - self.held.room(self.step), decoding)
            if fit < count:
                self.seen.touched.add("cache")
                count = fit
        fixed, each, each_windowed = self.clock.decode(decoding)
        least, first = self.clock.least(decoding), fixed + each * self.cached
        growing = each * decoding
        if self.window is not None:
            near = self._windowed()
            first += each_windowed * near
            if near < decoding * self.window:
                growing += each_windowed * decoding
        if self.late or self.crowded:
            count = 1
        elif self.sent and not self.waiting:
            until_then = steps_until(least, first, growing, self.sent[0] - self.now)
            if until_then < count:
                count = until_then
                if self.limits.ahead:  # the step after it was scheduled before the request came
                    self.scheduled = self.now + stretch(least, first, growing, count)
                    count += 1
        self._pass(stretch(least, first, growing, count), 1, count)
        self._finish_due()

    def _finish_due(self) -> None:
        ends, held = self.ends, self.cached + self.decoding * self.each_more
        if held > self.seen.most_cached:
            self.seen.most_cached = held
        while ends and (ends[0][0] <= self.step or ends[0][1] != ends[0][2].serial):
            _, serial, request = heapq.heappop(ends)
            if request.serial == serial:
                self._leave(request)
                self._done(request)

    def _make_room(self) -> bool:
        """Whether the youngest gave their blocks back, until the cache holds the next tokens of the rest."""
        before = self.seen.preempted
        while self.decoding > 1 and self._reserve() > self.limits.cache_tokens:
            self.seen.touched.add("cache")
            self._preempt()
        return self.seen.preempted > before

    def _leave(self, request: Request) -> None:
        request.serial = 0
        self.decoding -= 1
        self.cached -= self.step - request.ready
        self.held.drop(request.ready)

    def _preempt(self) -> None:
        """The youngest gives its blocks back and is computed anew, its answer so far as part of its prompt."""
        while not self.running[-1].serial:
            self.running.pop()
        self.seen.preempted += 1
        request = self.running.pop()
        held = self.step - request.ready
        made = held - request.prompt
        self._leave(request)
        request.prompt, request.left, request.done = held, request.left - made, self.limits.shared
        self.waiting.appendleft(request)

    def _done(self, request: Request) -> None:
        self.finished += 1
        if self.finished > self.skip:
            self.seen.answered(request, self.now, self.clock.rates.request)
        self.seen.ended = self.now
        if self.load.clients is not None:
            self.sent.append(self.now + self.clock.rates.request)
