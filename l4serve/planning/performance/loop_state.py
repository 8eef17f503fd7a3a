"""What a load is held by in an engine, the requests on their way, and what was seen of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from l4serve.config.frozen import frozen
from l4serve.planning.memory.kv_cache import BLOCK_TOKENS


@frozen(kw_only=True)
class Limits:
    """What one step and the cache hold: sequences, tokens of a step, tokens of the cache, tokens of a sequence.

    `chunks` is whether prompts share a step with running sequences and are split to fit; without it a step is of one
    kind. A sequence holds whole blocks of `block` tokens of the cache. `shared` tokens at the beginning of every prompt
    are in the cache already, which holds so many fewer others: they are not computed, and read like all others.
    `ahead` is whether a step is scheduled while the one before it runs, as by vLLM's asynchronous scheduling: who comes
    meanwhile waits for both.
    """

    sequences: int
    batched_tokens: int
    cache_tokens: int
    longest: int
    block: int = BLOCK_TOKENS
    chunks: bool = True
    ahead: bool = False
    shared: int = 0


@dataclass(slots=True, eq=False)
class Request:
    """One request on its way through an engine; times in seconds, lengths in tokens."""

    arrived: float
    prompt: int
    output: int
    done: int = 0
    """Tokens of the prompt that were computed."""
    left: int = 0
    """Tokens still to make."""
    ready: int = 0
    """Step at which it decoded its first token, less the tokens that its cache then held."""
    placed: float = -1.0
    """When it first got a place."""
    first: float = -1.0
    serial: int = 0
    """Which start it decodes from; 0 while it does not. One that was preempted starts again, with another end."""


@dataclass(slots=True)
class Observed:
    """What the measured requests saw: seconds, and the shares of time by what held more of them back."""

    ttft: float = 0.0
    itl: float = 0.0
    decoded: int = 0
    total: float = 0.0
    tokens: float = 0
    requests: int = 0
    began: float = 0.0
    ended: float = 0.0
    running: float = 0.0
    busy: float = 0.0
    idle: float = 0.0
    held_by: dict[str, float] = field(default_factory=dict)
    queued: int = 0
    """Requests that wait at the end."""
    preempted: int = 0
    """Times that a request gave its blocks back."""
    most_sequences: int = 0
    most_tokens: int = 0
    most_cached: int = 0
    """The most that a step and the cache held at once, or were asked to."""
    touched: set[str] = field(default_factory=set)
    """The limits that changed what happened: `sequences`, `tokens` of a step, the `cache`."""
    firsts: list[float] = field(default_factory=list)
    places: list[float] = field(default_factory=list)
    """What each request waited for its first token, and for a place; at the end the shortest first."""

    def stepped(self, tokens: int, sequences: int) -> None:
        """Another step had so many tokens and sequences."""
        if tokens > self.most_tokens:
            self.most_tokens = tokens
        if sequences > self.most_sequences:
            self.most_sequences = sequences

    def answered(self, request: Request, now: float, sending: float) -> None:
        """A measured request has its answer, and took so many seconds outside the engine."""
        if not self.requests:
            self.began = now
        first = request.first - request.arrived
        self.requests += 1
        self.ttft += first
        self.firsts.append(first)
        self.places.append(request.placed - request.arrived - sending)
        self.total += now - request.arrived
        self.tokens += request.output
        if request.output > 1:
            self.itl += (now - request.first) / (request.output - 1)
            self.decoded += 1

    def fits(self, limits: Limits, ran: Limits) -> bool:
        """Whether the same would happen within these limits as within those of the run: all that was held fits, and
        each limit that was touched is the same. Where one was touched, who waits would first meet another that is just
        reached, so the others must leave room."""
        room = 1 if self.touched else 0
        sides = (
            ("sequences", self.most_sequences + room, limits.sequences, ran.sequences),
            ("tokens", self.most_tokens + room, limits.batched_tokens, ran.batched_tokens),
            ("cache", self.most_cached + room, limits.cache_tokens, ran.cache_tokens),
        )
        return all(limit == was if name in self.touched else most <= limit for name, most, limit, was in sides)


def all_of(runs: Sequence[Observed]) -> Observed:
    """What the requests of several runs saw, and the waits of one request for each run: as many as one run has."""
    both = Observed(touched={limit for seen in runs for limit in seen.touched})
    for name in ("ttft", "itl", "decoded", "total", "tokens", "requests", "running", "busy", "idle"):
        setattr(both, name, sum(getattr(seen, name) for seen in runs))
    for name in ("most_sequences", "most_tokens", "most_cached"):
        setattr(both, name, max(getattr(seen, name) for seen in runs))
    for name in ("firsts", "places"):
        waits = sorted(wait for seen in runs for wait in getattr(seen, name))
        setattr(both, name, waits[len(runs) // 2 :: len(runs)])
    return both
