"""Figures as people read them."""

from decimal import Decimal


def shown(value: float, digits: int = 4) -> str:
    """A figure of so many digits, with its thousands divided and without an exponent."""
    return f"{Decimal(f'{value:.{digits}g}'):,f}"


def counted(number: int, what: str) -> str:
    """So many of what a word names: `1 node`, `2 nodes`."""
    return f"{number} {what}{'s'[: number != 1]}"
