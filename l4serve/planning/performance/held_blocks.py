"""Blocks of the cache that sequences hold: whole ones, so a sequence takes its next one a block of tokens at a time."""

from __future__ import annotations

from functools import cache
from operator import mul

LARGEST = 1024
"""Tokens of the largest block that is counted; no kernel takes so many."""


class HeldBlocks:
    """When each decoding sequence needs its next block: all have a token more after every step.

    A sequence is known by its origin, the step at which it would have had no token in the cache.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.full = [0] * size
        """Sequences whose last block is full at a step, by that step's place in a block."""

    def whole(self, tokens: int) -> int:
        """Tokens for which there is room in the blocks of so many."""
        return -(-tokens // self.size) * self.size

    def add(self, origin: int) -> None:
        """A sequence decodes from now on."""
        self.full[origin % self.size] += 1

    def drop(self, origin: int) -> None:
        """A sequence gives its blocks back."""
        self.full[origin % self.size] -= 1

    def room(self, step: int) -> int:
        """Tokens for which there is still room in the blocks that are held at a step."""
        return sum(map(mul, self.full, _spare(self.size, step % self.size)))

    def taken(self, step: int) -> int:
        """Tokens for which there is room in the blocks that are taken for a step."""
        return self.full[step % self.size] * self.size

    def steps(self, step: int, tokens: int, sequences: int) -> int:
        """Steps from this one on for which so many sequences need blocks for no more than so many tokens."""
        whole, left = divmod(tokens // self.size, sequences)
        count = whole * self.size
        while (left := left - self.full[(step + count) % self.size]) >= 0:
            count += 1
        return count


@cache
def _spare(size: int, step: int) -> tuple[int, ...]:
    """Tokens for which a sequence has room at a step, by the place of the step at which its last block is full."""
    return tuple((place - step) % size for place in range(size))
