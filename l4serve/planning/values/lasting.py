"""Work whose results outlive it, done without the garbage collector, and processes that keep what they make."""

import atexit
import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def lasting(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """The work, during which nobody looks for garbage: among values that all stay, each look is in vain."""

    @wraps(work)
    def done(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        collecting = gc.isenabled()
        gc.disable()
        try:
            return work(*args, **kwargs)
        finally:
            if collecting:
                gc.enable()

    return done


def keep_most(made: int) -> None:
    """For a process that keeps most of what it makes: looks for garbage after that many objects, and not at its end.

    Python would look through all that is left before it frees it, which took a tenth of a preview.
    """
    gc.set_threshold(made)
    atexit.register(gc.freeze)
