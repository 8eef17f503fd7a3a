"""Frozen dataclasses that cost a start little.

`dataclasses` compiles six methods from source for each class, which was half of what loading the planner took.
Comparison, hash, text and refusal to be changed need no code of their own: one function over the fields does as well.
"""

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(*, kw_only: bool = False) -> Callable[[type[_T]], type[_T]]:
    """A class decorator that does what `dataclass(frozen=True)` does: a value is equal, hashed and shown by its fields.

    A method that the class defines itself stays.
    """

    def made(plain: type[_T]) -> type[_T]:
        own = {name for name in ("__eq__", "__hash__", "__repr__") if plain.__dict__.get(name)}
        kind: Any = dataclass(kw_only=kw_only, repr=False, eq=False, init=False)(plain)
        kind.__init__ = _initialiser(kind)
        kind.__setattr__, kind.__delattr__ = _refuse_to_set, _refuse_to_delete
        for method in _methods(kind):
            if method.__name__ not in own:
                setattr(kind, method.__name__, method)
        return kind  # type: ignore[no-any-return]

    return made


def _initialiser(kind: Any) -> Callable[..., None]:
    """What `dataclass` would write, save that all fields are set at once: one by one they took three times as long."""
    names: dict[str, Any] = {"_set": object.__setattr__, "_left_out": MISSING}
    parameters, values = ["self"], []
    for each in sorted(fields(kind), key=lambda each: bool(each.kw_only)):
        name, default = each.name, f"_default_{each.name}"
        if each.kw_only and "*" not in parameters:
            parameters.append("*")
        if each.default_factory is not MISSING:
            names[default] = each.default_factory
            parameters.append(f"{name}=_left_out")
            values.append(f"{name!r}: {default}() if {name} is _left_out else {name}")
        else:
            names[default] = each.default
            parameters.append(name if each.default is MISSING else f"{name}={default}")
            values.append(f"{name!r}: {name}")
    after = "; self.__post_init__()" if hasattr(kind, "__post_init__") else ""
    body = f"_set(self, '__dict__', {{{', '.join(values)}}}){after}"
    exec(f"def __init__({', '.join(parameters)}): {body}", names)  # noqa: S102 - of the class's own names
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    return made


def _refuse_to_set(_: object, name: str, __: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


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
