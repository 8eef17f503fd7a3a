"""Requests that are all sent at once and never again, as the H100's were: the time until the last of them is answered.

A closed load's clients ask anew, so its places stay taken. Here the last requests run beside fewer, and prompts that
take many steps are all at the beginning.
"""

from __future__ import annotations

from l4serve.planning.memory.fit import Fit
from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.kernel_rates import KernelRates, kernel_rates
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.loop_state import Request
from l4serve.planning.performance.speed import Served, loop_limits, step_clock
from l4serve.planning.workload.subject import Subject


class AtOnce(EngineLoop):
    """One engine that is sent a load's requests once."""

    def seconds(self, requests: int) -> float:
        """Until the last is answered."""
        self.skip = 0
        self.sent.extend(0.0 for _ in range(requests))
        while self.finished < requests:
            self._advance()
        return self.now + self.clock.rates.request

    def _done(self, request: Request) -> None:
        super()._done(request)
        self.sent.clear()


def tokens_at_once(subject: Subject, fit: Fit, load: Load, rates: KernelRates | None = None) -> float:
    """Tokens a second over all requests of a load that come at once."""
    assert subject.shape is not None
    assert load.clients is not None
    served = Served(model=subject.shape, gpu=subject.card, options=subject.options, fit=fit)
    loop = AtOnce(step_clock(served, rates or kernel_rates()), loop_limits(served), load)
    return load.clients * load.output_tokens / loop.seconds(load.clients)
