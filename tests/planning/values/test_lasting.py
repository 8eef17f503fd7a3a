"""The collector rests while something lasting is made, and only then."""

import gc
import subprocess
import sys
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


@pytest.mark.parametrize("kept", [True, False])
def test_the_end_of_a_process_that_keeps_most_looks_for_no_garbage(kept: bool) -> None:
    program = f"""
import atexit, gc
from l4serve.planning.values.lasting import keep_most
made = [[] for _ in range(1000)]
atexit.register(lambda: print(gc.get_freeze_count() >= 1000))
{"keep_most(1000)" if kept else ""}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(kept)
