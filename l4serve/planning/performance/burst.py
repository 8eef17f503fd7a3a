"""Requests that all come at once and no more: the last of them run beside fewer, where clients that ask anew keep every
place taken."""

from __future__ import annotations

from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.loop_state import Observed, Request


class Burst(EngineLoop):
    """One engine that is sent a load's requests once."""

    def run(self) -> Observed:
        """The requests until the last of them is answered."""
        requests = self.load.clients or 1
        self.sent.extend(0.0 for _ in range(requests))
        while self.finished < requests:
            self._advance()
        return self.seen

    def _done(self, request: Request) -> None:
        super()._done(request)
        self.sent.clear()
