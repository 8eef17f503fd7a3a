"""How fast one engine serves a load: latencies, tokens a second, and the bound within which they are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from functools import lru_cache, partial

from l4serve.config.frozen import frozen
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import parse_version
from l4serve.planning.memory.kv_cache import BLOCK_TOKENS
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.vllm import batch_limits, generation_of
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.performance import prefixes
from l4serve.planning.performance.bottleneck import bottleneck
from l4serve.planning.performance.bounded_figures import UNKNOWN, Figures, beyond, farther, times
from l4serve.planning.performance.card_speeds import FASTER_STEP, HOSTS, SLOWER_STEP, Bound, all_card_speeds, bound_of
from l4serve.planning.performance.crowd import closed
from l4serve.planning.performance.full_engine import Pace
from l4serve.planning.performance.held_blocks import LARGEST
from l4serve.planning.performance.kernel_rates import KernelRates, kernel_rates
from l4serve.planning.performance.known_runs import full_pace
from l4serve.planning.performance.load import CROWD, CROWD_SPREAD, Load
from l4serve.planning.performance.loop_state import Limits, Observed
from l4serve.planning.performance.model_work import model_work
from l4serve.planning.performance.open_load import at_rate
from l4serve.planning.performance.step_time import FLASH_ATTN_3, Graphs, StepClock
from l4serve.planning.performance.unjudged import unjudged
from l4serve.planning.performance.unproven import Unproven, unproven
from l4serve.planning.performance.waits import NO_WAITS, Waits, waits_of

MILLI = 1000.0
CROWD_NOTE = (
    f"more than {CROWD} clients are a crowd: {{share:.0f}} % of the lengths, and from {2 * CROWD} clients on all, are "
    f"medians of lognormal spreads (sigma {CROWD_SPREAD[0]:g} of prompts, {CROWD_SPREAD[1]:g} of answers: the "
    "saturation load of bytes-per-token); --length-spread 0 fixes them"
)


@frozen(kw_only=True)
class Speed:
    """An estimate: the figures, the shares by which they may be wrong, what holds more of them back, and what was not
    judged and why."""

    figures: Figures
    bound: Bound
    held_by: Callable[[], str] | None = field(default=None, compare=False, repr=False)
    """Finds what holds more of them back."""
    not_judged: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    """What the estimate takes for granted beside the load."""
    rate_is_given: bool = False
    """Whether requests a second are the load's, and no matter of speed."""
    most_requests: float | None = None
    """Of a load that comes at a rate: the requests a second that are served with every place taken."""
    waits: Waits = NO_WAITS
    edges: Callable[[int], Figures] | None = field(default=None, compare=False, repr=False)
    """Of a load that comes at a rate: the figures at the fastest (-1) and the slowest (1) that the steps may be."""
    slowest: Figures | None = field(default=None, compare=False, repr=False)
    """What is served where the bound is as slow as it may be, if that does not keep up with the rate: a queue without
    end has no wait, and its engine is full."""

    @property
    def limited_by(self) -> str | None:
        """What holds more of the figures back; found when somebody asks, by what more of each limit would gain."""
        return None if self.held_by is None else self.held_by()

    @property
    def judged(self) -> bool:
        """Whether there is an estimate."""
        return self.figures.itl_ms is not None or self.figures.output_tokens_per_second is not None

    @property
    def slowest_keeps_up(self) -> bool:
        """Whether the rate is served even where the bound is as slow as it may be."""
        return self.slowest is None

    @property
    def low(self) -> Figures:
        """The lowest that each figure may be."""
        return self._edge(-1)

    @property
    def high(self) -> Figures:
        """The highest that each figure may be."""
        return self._edge(1)

    def _edge(self, side: int) -> Figures:
        edge = self.figures.bounded(self.bound, side)
        if self.rate_is_given:  # the slower each request is, the more of them run at once
            edge = replace(
                edge,
                output_tokens_per_second=self.figures.output_tokens_per_second,
                requests_per_second=self.figures.requests_per_second,
                running_requests=times(self.figures.running_requests, self.bound.token.at(side)),
            )
        if self.slowest is not None:
            edge = beyond(edge, self.slowest, side)
            if side > 0:
                return edge
        return edge if self.edges is None else farther(edge, self.edges(side), self.bound, side)


HOPPER = 9
"""Major number of the compute capability of H100 and H200."""
NO_SPEED = Speed(figures=UNKNOWN, bound=Bound())
"""Of what nobody judged; who says so adds the reason."""


@frozen(kw_only=True)
class Served:
    """What is served: a model with its settings on a card, and what its memory came to."""

    model: ModelShape
    gpu: Gpu
    options: ServingOptions
    fit: Fit
    told: frozenset[str] = frozenset()
    """Rules of the engine's contract that speak of it, of those that tell of an unproven case."""

    @property
    def keeps_prefixes(self) -> bool:
        """Whether the engine keeps what prompts begin with."""
        return prefixes.keeps_prefixes(self.model, self.gpu, self.options)

    @property
    def unproven(self) -> tuple[Unproven, ...]:
        """What it is of which no point says how far off the figures are."""
        return tuple(unproven(self.model, self.options, self.told))


def speed_of(served: Served, load: Load, rates: KernelRates | None = None) -> Speed:
    """The speed of an engine under a load; figures are None where `not_judged` says why.

    Raises MemoryModelError for a format or dtype that nobody knows.
    """
    if reason := unjudged(served.model, served.gpu, served.options):
        return replace(NO_SPEED, not_judged=(reason,))
    limits = loop_limits(served, load)
    clock = _known(replace(step_clock(served, rates or kernel_rates()), shared=limits.shared))
    if (request := load.input_tokens + load.output_tokens) > limits.longest:
        reason = f"a request of {request} tokens is longer than the context of {limits.longest}"
        return replace(NO_SPEED, not_judged=(reason,))
    alike = prefixes.told(load, keeps=served.keeps_prefixes)
    assumed = (*alike, *(case.why for case in served.unproven))
    if load.rate is not None:
        return replace(_at_rate(served, clock, limits, load), assumed=assumed)
    crowd = (CROWD_NOTE.format(share=100 * load.crowd),) if load.crowd else ()
    seen = closed(clock, limits, load)
    return replace(_speed(served, clock, load, seen), assumed=(*crowd, *assumed), waits=waits_of(seen))


@lru_cache(maxsize=512)
def _known(clock: StepClock) -> StepClock:
    """The clock that is equal to this one and was asked first: it knows the steps that were worked out for others."""
    return clock


def _at_rate(served: Served, clock: StepClock, limits: Limits, load: Load) -> Speed:
    """The speed under a rate: that of the most that can be served, without a wait, where more comes."""
    pace = full_pace(clock, limits, replace(load, rate=None, arrival_cv2=1.0))
    places = max(1, round(pace.running))
    crowded = pace.seen_by(places)
    rate, most = load.rate or 0.0, pace.requests

    def full_speed() -> Speed:
        return _speed(served, clock, replace(load, rate=None, clients=places), crowded)

    if rate >= most:
        full = full_speed()
        held_by = partial(bottleneck, (clock, limits), load, crowded, _half(served, clock))
        reason = f"ttftMs, endToEndMs: at {rate:g} requests a second the queue grows without end; {most:.3g} are served"
        endless = replace(full.figures, ttft_ms=None, end_to_end_ms=None)
        asked = replace(full.bound.rate, more=min(full.bound.rate.more, rate / most - 1))  # no more come than these
        full = replace(full, figures=endless, bound=replace(full.bound, rate=asked))
        return replace(full, held_by=held_by, not_judged=(*full.not_judged, reason), most_requests=most)
    seen = at_rate(clock, limits, load, pace)
    speed = _speed(served, clock, load, seen)
    speed = replace(speed, rate_is_given=True, most_requests=most, waits=waits_of(seen))
    speed = replace(speed, edges=partial(_at_edge, served, clock, load, speed.bound, pace))
    if rate < most / (1 + speed.bound.slower):
        return speed
    full = full_speed()
    slower = (
        f"with steps {100 * speed.bound.slower:.0f} % slower, as the bound allows, it does not keep up with {rate:g}"
    )
    return replace(
        speed,
        slowest=full.figures.slowed(1 + full.bound.slower),
        not_judged=(*speed.not_judged, f"high.ttftMs, high.endToEndMs: {slower} requests a second"),
    )


def _at_edge(served: Served, clock: StepClock, load: Load, bound: Bound, full: Pace, side: int) -> Figures:
    """The figures under a rate of an engine whose steps are as fast or slow as they may be."""
    times = bound.token.at(side)
    slowed = clock.slowed(times)
    return _speed(served, slowed, load, at_rate(slowed, loop_limits(served, load), load, full.slowed(times))).figures


def step_clock(served: Served, rates: KernelRates) -> StepClock:
    """The clock of a served model's steps."""
    options, card = served.options, all_card_speeds()[served.gpu.name]
    work = model_work(served.model, options)
    release = parse_version(options.engine_version)
    return StepClock(
        work=work,
        card=card,
        rates=rates,
        backend=_kernels(options, served.gpu),
        graphs=_graphs(options),
        ranks=options.tensor_parallel_size,
        block=card.block_kernel(release) if work.multiplied == "blockFp8" else None,
    )


def _kernels(options: ServingOptions, gpu: Gpu) -> str | None:
    """The kernels of attention: FlashAttention's own ones of Hopper where vLLM takes FLASH_ATTN there."""
    hopper = gpu.compute_capability[0] == HOPPER
    return FLASH_ATTN_3 if hopper and options.attention_backend == "FLASH_ATTN" else options.attention_backend


def _graphs(options: ServingOptions) -> Graphs:
    if options.is_eager:
        return "none"
    return "piecewise" if options.graphs and options.graphs.piecewise else "full"


def loop_limits(served: Served, load: Load | None = None) -> Limits:
    """What a step and the cache of a served model hold under a load."""
    options, fit = served.options, served.fit
    generation = generation_of(served.model, served.gpu, options)
    batch = batch_limits(served.model, options, generation)
    chunked = options.enable_chunked_prefill
    block = min(options.block_size or BLOCK_TOKENS, LARGEST)
    shared = load.shared_tokens // block * block if load and served.keeps_prefixes else 0
    return Limits(
        sequences=batch.seqs,
        batched_tokens=batch.batched_tokens,
        cache_tokens=max(1, fit.kv_cache_tokens - shared),
        block=block,
        shared=shared,
        longest=fit.max_model_len,
        chunks=generation.chunked_prefill_default if chunked is None else chunked,
        ahead=generation.schedules_ahead,
    )


def _speed(served: Served, clock: StepClock, load: Load, seen: Observed) -> Speed:
    limits = loop_limits(served, load)
    width = bound_of(clock.card, served.options.tensor_parallel_size)
    if seen.decoded:
        token = seen.itl / seen.decoded * MILLI
        if clock.graphs == "full":
            width = width.paced(clock.least(_together(seen)) * MILLI, token, slower=SLOWER_STEP, faster=FASTER_STEP)
        else:
            width = width.paced(clock.launched(1) * MILLI, token, slower=HOSTS, faster=HOSTS)
    tokens = min(limits.batched_tokens, (load.clients or 1) * max(1, load.input_tokens - limits.shared))
    width = width.delayed(clock.launched(tokens), clock.bare(tokens, 1))
    for bound in (*(case.bound for case in served.unproven), *((prefixes.BOUND,) if load.shared_tokens else ())):
        width = width.wider(bound)
    if not seen.requests:
        return Speed(figures=UNKNOWN, bound=width, not_judged=("the load never ends",))
    wait, total = seen.ttft / seen.requests, seen.total / seen.requests
    made = seen.tokens / seen.requests
    alone = seen.ended + clock.rates.request if load.burst else total
    per_second = (load.clients / alone) if load.clients else (load.rate or 0.0)
    figures = Figures(
        ttft_ms=wait * MILLI,
        itl_ms=seen.itl / seen.decoded * MILLI if seen.decoded else None,
        output_tokens_per_second=per_second * made,
        requests_per_second=per_second,
        end_to_end_ms=total * MILLI,
        running_requests=seen.running / (seen.busy + seen.idle) if seen.busy else 0.0,
    )
    reasons = () if seen.decoded else ("itlMs: an answer of one token has no token after the first",)
    held_by = partial(bottleneck, (clock, limits), load, seen, _half(served, clock))
    return Speed(figures=figures, bound=width, held_by=held_by, not_judged=reasons)


def _together(seen: Observed) -> int:
    """How many sequences were in a step, in the mean."""
    return max(1, round(seen.running / (seen.busy + seen.idle))) if seen.busy else 1


def _half(served: Served, clock: StepClock) -> Callable[[], StepClock] | None:
    """The same on half of the cards."""
    if clock.ranks == 1:
        return None
    fewer = replace(served.options, tensor_parallel_size=clock.ranks // 2)
    return partial(step_clock, replace(served, options=fewer), clock.rates)
