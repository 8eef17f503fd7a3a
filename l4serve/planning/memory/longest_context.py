"""The longest context that fits where a longer one makes the engine set more memory aside."""

from collections.abc import Callable

from l4serve.planning.memory.fit import Fit
from l4serve.planning.values.edited import edited

_STEP = 64

At = Callable[[int], Fit]
"""The answer at a context of so many tokens."""


def with_longest(fit: Fit, at: At) -> Fit:
    """The answer with the longest context that fits, where what is set aside grows with it."""
    if fit.fits and (fit.largest_max_model_len <= fit.max_model_len or at(fit.largest_max_model_len).fits):
        return fit
    above = fit.largest_max_model_len if fit.fits else fit.max_model_len
    longest = longest_where(lambda length: at(length).fits, fit.max_model_len if fit.fits else 0, above)
    return edited(fit, largest_max_model_len=longest) if longest else fit


def longest_where(fits: Callable[[int], bool], known: int, above: int, step: int = _STEP) -> int:
    """The longest multiple of `step` between a length that fits, or 0, and one that does not; else the former."""
    low, high = known // step, -(-above // step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle * step) else (low, middle)
    return max(known, low * step)
