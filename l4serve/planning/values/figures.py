"""Figures as people read them."""


def shown(value: float, digits: int = 4) -> str:
    """A figure of so many digits, with its thousands divided and without an exponent."""
    return f"{float(f'{value:.{digits}g}'):,.12f}".rstrip("0").rstrip(".")
