"""How requests come: what a promise is held for, and how fast their rate may grow."""

from __future__ import annotations

from l4serve.config.frozen import frozen

USUAL_PERCENTILE = 95.0
"""Share of the requests for which waits are told where nobody names one."""


@frozen(kw_only=True)
class Traffic:
    """The share of requests that a first token is promised to (None: their mean), and how fast the rate may grow, as a
    share a minute."""

    percentile: float | None = None
    growth_per_minute: float = 0.1

    @property
    def told(self) -> float:
        """The percentile of the waits that are told."""
        return self.percentile or USUAL_PERCENTILE


USUAL_TRAFFIC = Traffic()
