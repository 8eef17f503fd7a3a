"""What holds a load back: the limit that would serve it fastest if there were more of it, by the same model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from l4serve.planning.performance.crowd import closed
from l4serve.planning.performance.known_runs import full_pace, observed
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.loop_state import Limits, Observed
from l4serve.planning.performance.step_time import StepClock

TIMES = 2.0
"""How much more of a limit there would be."""
NEARLY = 0.8
"""Share of the most that anything gains, from which a limit that comes earlier in the list is named."""
AND = " and "
Case = tuple[StepClock, Limits]


def bottleneck(case: Case, load: Load, seen: Observed, halved: Callable[[], StepClock] | None = None) -> str:
    """The limit of which twice as much serves the load fastest; of those that gain nearly as much, one that can be set.

    The cards' exchange is named with it wherever half of the cards (`halved`) would decode as fast, and computing
    wherever weights of more bits would be as fast: those are why cards and fewer bits gain nothing there,
    unless the host hides both.
    """
    clock = case[0]
    running = max(1, round(seen.running / seen.busy)) if seen.busy else 1
    context = load.mean_input + load.mean_output / 2
    gains = gained(case, load)
    most = max(gains.values())
    named = (next(name for name, gain in gains.items() if gain >= NEARLY * most),)
    also = list[str]()
    if halved is not None and halved().worked(running, context) <= clock.worked(running, context):
        also.append("interconnect")
    if not clock.gains_by_its_bits(running, context, load.mean_input - case[1].shared, load.mean_output):
        also.append("compute")
    return AND.join(dict.fromkeys((*named, *(name for name in also if gains[name] > 0))))


def gained(case: Case, load: Load) -> Mapping[str, float]:
    """Seconds of a request that twice as much of each limit saves."""
    rated = load.rate is not None
    overrun = rated and full_pace(*case, replace(load, rate=None, arrival_cv2=1.0)).requests <= (load.rate or 0.0)

    def seconds(of: Case) -> float:
        if overrun:
            return 1 / full_pace(*of, replace(load, rate=None, arrival_cv2=1.0)).requests
        seen = observed(*of, load) if rated else closed(*of, load)
        return seen.total / seen.requests

    asked = seconds(case)
    return {name: asked - seconds(looser) for name, looser in _loosened(case).items()}


def _loosened(case: Case) -> Mapping[str, Case]:
    """The case with twice as much of each limit, those first that a setting or another machine gives more of."""
    clock, limits = case
    found: dict[str, Case] = {
        "max sequences": (clock, replace(limits, sequences=int(TIMES * limits.sequences))),
        "max batched tokens": (clock, replace(limits, batched_tokens=int(TIMES * limits.batched_tokens))),
        "KV cache": (clock, replace(limits, cache_tokens=int(TIMES * limits.cache_tokens))),
        **({"interconnect": (clock.sped_up(link=TIMES), limits)} if clock.ranks > 1 else {}),
        "compute": (clock.sped_up(compute=TIMES), limits),
        "memory bandwidth": (clock.sped_up(read=TIMES), limits),
        "host": (clock.sped_up(host=TIMES), limits),
    }
    return found
