"""How many requests of a load are followed before what they saw stands for all."""

from __future__ import annotations

from math import ceil

from l4serve.config.frozen import frozen
from l4serve.planning.performance.arrivals import order
from l4serve.planning.performance.load import Load

WAVES, FEW = 3, 384
"""Waves of clients that are measured after the first, and the requests with which fewer waves do: each is like the one
before where lengths are equal."""
REQUESTS, WARM_UP = 400, 80
"""Of lengths that vary no fewer are followed, and left out of them or of a rate: a few say more of themselves."""


@frozen(kw_only=True)
class Followed:
    """Requests that are followed, those that do where no limit has made anybody wait by then, and the first of them
    that are left out."""

    most: int
    calm: int
    left_out: int


def followed(load: Load) -> Followed:
    """As many as the load takes: all gaps of a rate, waves of clients, and more of lengths that vary."""
    if load.rate is not None:
        return Followed(most=len(order(load.arrival_cv2)), calm=REQUESTS, left_out=WARM_UP)
    clients = load.clients or 1
    if load.input_spread or load.output_spread:
        most, left_out = max((1 + WAVES) * clients, REQUESTS), max(clients, WARM_UP)
    else:
        most, left_out = (1 + min(WAVES, ceil(FEW / clients))) * clients, clients if clients > 1 else 0
    return Followed(most=most, calm=most, left_out=left_out)
