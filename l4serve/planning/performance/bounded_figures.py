"""What a client sees of an engine, and how far each figure may be from what is said."""

from __future__ import annotations

from dataclasses import replace

from l4serve.config.frozen import frozen
from l4serve.planning.performance.card_speeds import Bound


@frozen(kw_only=True)
class Figures:
    """What a client sees of an engine: milliseconds, and tokens or requests a second of all clients together."""

    ttft_ms: float | None
    itl_ms: float | None
    output_tokens_per_second: float | None
    requests_per_second: float | None
    end_to_end_ms: float | None
    running_requests: float | None

    def bounded(self, bound: Bound, side: int) -> Figures:
        """The lowest (-1) or highest (1) that each figure may be; a whole answer is its first token and the rest."""
        first, whole = self.ttft_ms, self.end_to_end_ms
        edge = None if first is None else max(0.0, first * bound.wait.at(side) + _host_ms(bound, side))
        if first is not None and edge is not None and whole is not None:
            whole = edge + (whole - first) * bound.token.at(side)
        return Figures(
            ttft_ms=edge,
            itl_ms=times(self.itl_ms, bound.token.at(side)),
            output_tokens_per_second=times(self.output_tokens_per_second, bound.rate.at(side)),
            requests_per_second=times(self.requests_per_second, bound.rate.at(side)),
            end_to_end_ms=whole,
            running_requests=self.running_requests,
        )

    def slowed(self, by: float) -> Figures:
        """The figures of a full engine whose steps all take so many times as long."""
        return replace(
            self,
            itl_ms=times(self.itl_ms, by),
            output_tokens_per_second=times(self.output_tokens_per_second, 1 / by),
            requests_per_second=times(self.requests_per_second, 1 / by),
        )


def _host_ms(bound: Bound, side: int) -> float:
    return -bound.host_ms.less if side < 0 else bound.host_ms.more


def farther(edge: Figures, found: Figures, bound: Bound, side: int) -> Figures:
    """The edge, or what a queue makes of steps at their own edge where that is farther: the closer a rate comes to the
    most that is served, the more a slower step costs."""
    first, whole = found.ttft_ms, found.end_to_end_ms
    if first is not None and whole is not None:
        rest = whole - first
        first = max(0.0, first * bound.wait.at(side) / bound.token.at(side) + _host_ms(bound, side))
        whole = first + rest
    return replace(
        edge,
        ttft_ms=_farther(side, edge.ttft_ms, first),
        itl_ms=_farther(side, edge.itl_ms, found.itl_ms),
        end_to_end_ms=_farther(side, edge.end_to_end_ms, whole),
        running_requests=_farther(side, edge.running_requests, found.running_requests),
    )


def beyond(edge: Figures, slowest: Figures, side: int) -> Figures:
    """The edge of a rate that the slowest engine does not serve: fewer tokens at the least, and at the most the pace of
    a full engine, before which the queue grows without end."""
    if side < 0:
        return replace(
            edge,
            output_tokens_per_second=_farther(side, edge.output_tokens_per_second, slowest.output_tokens_per_second),
            requests_per_second=_farther(side, edge.requests_per_second, slowest.requests_per_second),
        )
    return replace(
        edge,
        ttft_ms=None,
        end_to_end_ms=None,
        itl_ms=_farther(side, edge.itl_ms, slowest.itl_ms),
        running_requests=_farther(side, edge.running_requests, slowest.running_requests),
    )


def _farther(side: int, one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return one
    return max(one, other) if side > 0 else min(one, other)


def times(value: float | None, factor: float) -> float | None:
    """A figure so many times; None where there is none."""
    return None if value is None else value * factor


UNKNOWN = Figures(
    ttft_ms=None,
    itl_ms=None,
    output_tokens_per_second=None,
    requests_per_second=None,
    end_to_end_ms=None,
    running_requests=None,
)
