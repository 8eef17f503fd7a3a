"""A load on replicas: the part of each, and what they serve together."""

from __future__ import annotations

from l4serve.planning.performance.bounded_figures import Figures
from l4serve.planning.performance.load import Load
from l4serve.planning.values.edited import edited


def share_of(load: Load, replicas: int) -> Load:
    """One replica's part of a load; of clients, that of the replica that has most."""
    if load.rate is not None:
        return edited(load, rate=load.rate / replicas)
    return edited(load, clients=-(-(load.clients or 1) // replicas))


def times_of(load: Load, replicas: int) -> float:
    """How many times one replica's part a load is: clients are no more than there are, however they are dealt out."""
    part = share_of(load, replicas)
    return replicas if load.rate is not None else (load.clients or 1) / (part.clients or 1)


def together(figures: Figures, times: float) -> Figures:
    """What replicas serve that have one replica's part so many times."""

    def all_of(value: float | None) -> float | None:
        return None if value is None else value * times

    return edited(
        figures,
        output_tokens_per_second=all_of(figures.output_tokens_per_second),
        requests_per_second=all_of(figures.requests_per_second),
        running_requests=all_of(figures.running_requests),
    )
