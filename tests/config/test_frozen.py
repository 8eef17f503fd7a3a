"""A frozen value behaves as the standard library's frozen dataclass does."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from l4serve.config.frozen import frozen


@frozen(kw_only=True)
class Ours:
    name: str
    sizes: tuple[int, ...] = ()
    told: str = field(default="", compare=False)
    kept: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Theirs:
    name: str
    sizes: tuple[int, ...] = ()
    told: str = field(default="", compare=False)
    kept: str = field(default="", repr=False)


@frozen()
class Empty:
    pass


@frozen()
class Own:
    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and self.name.lower() == other.name.lower()

    def __repr__(self) -> str:
        return "own"


@frozen()
class Longer(Own):
    size: int = 0


@frozen()
class Made:
    first: int
    each: list[int] = field(default_factory=list)
    named: str = field(default="n", kw_only=True)


CASES: list[dict[str, Any]] = [
    {"name": "a"},
    {"name": "a", "told": "b"},
    {"name": "a", "kept": "b"},
    {"name": "a", "sizes": (1, 2)},
]


@pytest.mark.parametrize("left", CASES)
@pytest.mark.parametrize("right", CASES)
def test_it_compares_and_hashes_as_a_dataclass(left: dict[str, Any], right: dict[str, Any]) -> None:
    same = Theirs(**left) == Theirs(**right)
    assert (Ours(**left) == Ours(**right)) == same
    assert (len({Ours(**left), Ours(**right)}) == 1) == same


@pytest.mark.parametrize("values", CASES)
def test_it_is_shown_as_a_dataclass(values: dict[str, Any]) -> None:
    assert repr(Ours(**values)) == repr(Theirs(**values)).replace("Theirs", "Ours")


@pytest.mark.parametrize("value", [Ours(name="a"), Own("a"), Empty(), Longer("a", 1)])
def test_it_is_copied_and_stays_as_it_is(value: Any) -> None:
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == replace(value) == value
    with pytest.raises(FrozenInstanceError):
        value.name = "b"
    with pytest.raises(FrozenInstanceError):
        del value.name


def test_values_of_other_classes_are_others() -> None:
    others: tuple[object, object] = (Ours(name="a"), ())
    assert Made(1) != others[0]
    assert Empty() != others[1]


def test_a_method_of_the_class_itself_stays() -> None:
    assert Own("A") == Own("a")
    assert repr(Own("a")) == "own"
    assert Longer("A", 1) != Longer("a", 1)
    assert repr(Longer("a", 1)) == "Longer(name='a', size=1)"
    assert [each.name for each in fields(Longer)] == ["name", "size"]


def test_what_is_left_out_is_made_for_each() -> None:
    one, other = Made(1), Made(1)
    one.each.append(2)
    assert (other.each, Made(1, [3]).each, one.named, Made(1, named="m").named) == ([], [3], "n", "m")
    with pytest.raises(TypeError, match=r"Made.__init__\(\) missing 1 required positional argument: 'first'"):
        Made()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Made(1, [], "m")  # type: ignore[call-arg]
