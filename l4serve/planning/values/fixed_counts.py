"""Counts by name that can be part of a key, as every value of a plan can."""


class FixedCounts(dict[str, int]):
    """Counts by name that nobody changes once they are read."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))
