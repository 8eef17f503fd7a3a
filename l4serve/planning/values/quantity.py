"""Kubernetes resource quantities as exact integers: CPU in millicores, memory and storage in bytes.

Grammar: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ . The parser here is
narrower than the API on purpose: what it refuses (negative amounts, fractions of a byte) no container may ask.
"""

from __future__ import annotations

import re
from decimal import Decimal

KIB = 1024
MIB = 1024**2
GIB = 1024**3

_QUANTITY = re.compile(r"\+?(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<suffix>[eE][+-]?\d+|[KMGTPE]i|[numkMGTPE]?)")
_BINARY = {suffix: Decimal(1024) ** power for power, suffix in enumerate(("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))}
_DECIMAL = {
    suffix: Decimal(1000) ** power
    for suffix, power in {
        "n": -3,
        "u": -2,
        "m": -1,
        "": 0,
        "k": 1,
        "M": 2,
        "G": 3,
        "T": 4,
        "P": 5,
        "E": 6,
    }.items()
}
_SCALE = _BINARY | _DECIMAL


class QuantityError(ValueError):
    """A text that is no Kubernetes quantity of the wanted kind."""


def parse_quantity(text: str | float) -> Decimal:
    """Return the exact amount in base units (cores, bytes). Raises QuantityError on anything else."""
    match = _QUANTITY.fullmatch(str(text).strip())
    if isinstance(text, bool) or match is None:
        raise QuantityError(f"{text!r} is not a Kubernetes quantity; write for example 2, 500m, 25Gi or 40G")
    suffix = match["suffix"]
    number = Decimal(match["number"])
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix != "Ei":
        return number.scaleb(int(suffix[1:]))
    return number * _SCALE[suffix]


def parse_cpu(text: str | float) -> int:
    """CPU in millicores. A fraction of a millicore is refused, as the API server rounds it up silently."""
    return _whole(parse_quantity(text) * 1000, text, "a millicore; write for example 2 or 500m")


def parse_bytes(text: str | float) -> int:
    """Memory or storage in bytes. A fraction of a byte (`100m` of memory is a tenth of one) is refused."""
    return _whole(parse_quantity(text), text, "a byte; write for example 25Gi")


def format_cpu(millis: int) -> str:
    """Canonical text of a CPU amount: whole cores without suffix, else millicores."""
    return str(millis // 1000) if millis % 1000 == 0 else f"{millis}m"


def format_bytes(amount: int) -> str:
    """Canonical text of a byte amount: the largest binary suffix that keeps it whole."""
    for suffix, scale in (("Ti", 1024**4), ("Gi", GIB), ("Mi", MIB), ("Ki", KIB)):
        if amount and amount % scale == 0:
            return f"{amount // scale}{suffix}"
    return str(amount)


def round_gib(amount: int) -> str:
    """A byte amount for people: GiB with at most two decimals, such as `11.48Gi`."""
    return f"{round(amount / GIB, 2):g}Gi"


def _whole(amount: Decimal, text: object, unit: str) -> int:
    if amount != amount.to_integral_value():
        raise QuantityError(f"{text!r} is a fraction of {unit}")
    return int(amount)
