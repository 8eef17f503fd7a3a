"""The collector rests while something lasting is made, and only then."""

import gc
from collections.abc import Iterator

import pytest

from l4serve.planning.values.lasting import lasting


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    was = gc.isenabled()
    yield
    (gc.enable if was else gc.disable)()


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_rests_and_is_as_before(collecting: bool) -> None:
    (gc.enable if collecting else gc.disable)()
    assert lasting(gc.isenabled)() is False
    assert gc.isenabled() is collecting


def test_a_refusal_leaves_it_as_before() -> None:
    @lasting
    def refuse() -> None:
        raise ValueError

    gc.enable()
    with pytest.raises(ValueError):
        refuse()
    assert gc.isenabled()
