"""How requests come: what a promise at a percentile is held against."""

from __future__ import annotations

from l4serve.config.frozen import frozen


@frozen(kw_only=True)
class Traffic:
    """A rate of requests a second, the squared coefficient of variation of the times between them (1: without memory),
    the share of clients that a promise holds for, and how fast the rate may grow, as a share a minute."""

    rate: float
    arrival_cv2: float = 1.0
    percentile: float = 95.0
    growth_per_minute: float = 0.1
