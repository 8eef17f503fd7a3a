"""How fast a judged workload is: the performance model's answer for a subject, and what its tokens then cost."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from l4serve.config.frozen import frozen
from l4serve.planning.machines.prices import Price
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.performance.kernel_rates import KernelRates
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import NO_SPEED, Served, Speed, speed_of
from l4serve.planning.performance.unmeasured import unmeasured
from l4serve.planning.performance.unproven import telling_rules
from l4serve.planning.workload.judgement.judging import Judgement
from l4serve.planning.workload.judgement.subject import Subject

SECONDS_PER_HOUR = 3600
LENGTH_STEP = 128
"""Tokens to which a context is looked for that fits."""


@frozen(kw_only=True)
class Priced:
    """One engine under a load, and what it is paid for: `price` is that of its GPUs' machine for one hour."""

    speed: Speed
    price: Price | None
    share: float = 1.0
    """The part of the machine that the pod's GPUs are."""

    @property
    def usd_per_hour(self) -> float | None:
        """USD an hour of the pod; None where no price is known."""
        return None if self.price is None else self.price.usd_per_hour * self.share

    def usd_per_million(self, tokens_per_second: float | None) -> float | None:
        """USD for a million tokens at this rate."""
        if self.usd_per_hour is None or not tokens_per_second:
            return None
        return self.usd_per_hour / (tokens_per_second * SECONDS_PER_HOUR) * 1e6


def subject_speed(subject: Subject, judgement: Judgement, load: Load, rates: KernelRates | None = None) -> Speed:
    """The speed of a judged subject under a load, at the context that was asked for.

    A context that does not fit is cut to the longest that does, as an operator would have to, and said so.
    """
    shape, fit = subject.shape, judgement.fit
    if shape is None:
        return no_speed(f"speed: {subject.workload.model.id} is in no catalogue; set model.config to its config.json")
    if fit is None:
        return no_speed("; ".join(judgement.notes) or "speed: memory is not judged")
    rules = {verdict.rule_id for verdict in judgement.verdicts}
    if reason := unmeasured(rules):
        return no_speed(reason)
    options, assumed = subject.options, tuple[str, ...]()
    try:
        if not fit.fits:
            options, fit, assumed = _shortened(subject, shape, fit)
        if not fit.fits and _may_start(subject, fit):
            assumed = (*assumed, f"it starts, which is uncertain: {'; '.join(fit.reasons)}")
        elif not fit.fits:
            return no_speed("speed: the model does not fit its GPU; " + "; ".join(fit.reasons))
        served = Served(model=shape, gpu=subject.card, options=options, fit=fit, told=telling_rules() & rules)
        plain = rates is None and options.multimodal_limits is None
        speed = _speed_of(served, load) if plain else speed_of(served, load, rates)
    except MemoryModelError as error:
        return no_speed(f"speed: {error}")
    return replace(speed, assumed=(*speed.assumed, *assumed))


def places_of(options: ServingOptions, fit: Fit, tokens: int) -> int:
    """Requests of so many tokens that run at once: what the cache and the engine's limit hold."""
    most = options.max_num_seqs or options.default_max_num_seqs or 1
    return max(1, min(most, fit.kv_cache_tokens // tokens))


@lru_cache(maxsize=1024)
def _speed_of(served: Served, load: Load) -> Speed:
    """Equal workloads under equal loads are as fast: a large stack has many."""
    return speed_of(served, load)


def _shortened(subject: Subject, shape: ModelShape, fit: Fit) -> tuple[ServingOptions, Fit, tuple[str, ...]]:
    """The options with the longest context that fits, its fit, and what is said of it; unchanged where none does.

    The memory model's own answer fits but where a shorter context ends chunked prefill, whose steps then hold whole
    prompts: there lengths are halved.
    """
    options, length = subject.options, fit.largest_max_model_len
    if not 0 < length < fit.max_model_len:
        return options, fit, ()

    def at(tokens: int) -> tuple[ServingOptions, Fit]:
        shorter = replace(options, max_model_len=tokens, max_total_tokens=tokens if options.max_total_tokens else None)
        return shorter, estimate(shape, subject.card, shorter)

    found = at(length)
    if not found[1].fits and not _may_start(subject, found[1]):
        low, high = 0, length
        while high - low > LENGTH_STEP:
            middle = (low + high) // 2
            tried = at(middle)
            if tried[1].fits:
                found, low = tried, middle
            else:
                high = middle
    used = found[1].max_model_len
    return *found, (f"a context of {fit.max_model_len} tokens does not fit: the figures are for maxModelLen {used}",)


def _may_start(subject: Subject, fit: Fit) -> bool:
    """Whether all that is short is memory which the engine takes after its cache, by less than is uncertain."""
    free = subject.card.total_gib - subject.card.context_gib
    short = fit.usable_gib + fit.late_gib - free
    return 0 < fit.max_model_len <= fit.largest_max_model_len and 0 < short <= fit.uncertainty_gib


def no_speed(*reasons: str) -> Speed:
    """No figures, and why."""
    return replace(NO_SPEED, not_judged=reasons)
