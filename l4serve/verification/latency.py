"""Time to first token and inter-token latency of a streamed answer."""

import time
from itertools import pairwise

from l4serve.config.frozen import frozen


@frozen()
class Latency:
    """Timing of one streamed answer, as the client saw it."""

    ttft_seconds: float
    """From sending the request to the first token's arrival."""
    inter_token_seconds: float | None
    """Mean time per token after the first; None where fewer than two tokens came or all came at once."""
    longest_gap_seconds: float | None
    """Longest wait between two arrivals; None where there was one arrival."""
    output_tokens: int
    """Tokens generated."""

    def __str__(self) -> str:
        between = "" if self.inter_token_seconds is None else f", {self.inter_token_seconds * 1000:.1f} ms per token"
        return f"TTFT {self.ttft_seconds * 1000:.1f} ms{between}"


class StreamClock:
    """Notes when tokens arrive; starts when made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._arrivals: list[float] = []

    @property
    def arrivals(self) -> int:
        """Events that carried tokens so far."""
        return len(self._arrivals)

    def tick(self) -> None:
        """Note an event that carries one token or more."""
        self._arrivals.append(time.perf_counter())

    def read(self, output_tokens: int) -> Latency:
        """The timing of `output_tokens` tokens; an event may have carried several. Needs one arrival."""
        first, last = self._arrivals[0], self._arrivals[-1]
        spread = last > first and output_tokens > 1
        return Latency(
            ttft_seconds=first - self._started,
            inter_token_seconds=(last - first) / (output_tokens - 1) if spread else None,
            longest_gap_seconds=max((b - a for a, b in pairwise(self._arrivals)), default=None),
            output_tokens=output_tokens,
        )
