"""`dataclasses.replace` for frozen values whose class computes nothing as it makes one.

A search over settings changes one of fifty at a time, thousands of times; copying the rest at once takes a tenth of the
time that naming each takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import replace as edited
else:

    def edited(value: T, **changes: Any) -> T:
        """A copy with other values of some fields."""
        copy = object.__new__(type(value))
        # A dict of one's own is read faster than the one that an object makes when it is asked for it.
        object.__setattr__(copy, "__dict__", {**vars(value), **changes})
        return copy


__all__ = ["edited"]
