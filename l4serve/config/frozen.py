"""Frozen dataclasses that cost a start little.

`dataclasses` compiles six methods from source for each class, which was half of what loading the planner took.
Comparison, hash and text need no code of their own: one function over the names of the fields does as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(*, kw_only: bool = False, slots: bool = False) -> Callable[[type[_T]], type[_T]]:
    """A class decorator that does what `dataclass(frozen=True)` does: a value is equal, hashed and shown by its fields.

    A method that the class defines itself stays.
    """

    def made(plain: type[_T]) -> type[_T]:
        own = {name for name in ("__eq__", "__hash__", "__repr__") if plain.__dict__.get(name)}
        kind: Any = dataclass(frozen=True, kw_only=kw_only, slots=slots, repr=False, eq=False)(plain)
        for method in _methods(kind):
            if method.__name__ not in own:
                setattr(kind, method.__name__, method)
        return kind  # type: ignore[no-any-return]

    return made


def _methods(kind: Any) -> tuple[Callable[..., Any], ...]:
    compared = _values_of([each.name for each in fields(kind) if each.compare])
    shown = [each.name for each in fields(kind) if each.repr]

    def __eq__(self: Any, other: object) -> Any:  # noqa: N807
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(compared(self))

    def __repr__(self: Any) -> str:  # noqa: N807
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    return __eq__, __hash__, __repr__


def _values_of(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()
