"""Planning stays fast in large stacks: its work grows with the workloads, not with their square."""

import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from types import FrameType

import pytest

from benchmarks.plan_speed import MODELS, large_stack
from l4serve.planning.difference.renames import renames
from l4serve.planning.machines.shapes import find_shape
from l4serve.planning.packing.overflow import hold
from l4serve.planning.packing.placement import PodRequest, PoolRoom, place
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.stack.version_move import version_move
from l4serve.planning.workload.judgement import judging
from l4serve.planning.workload.judgement.alike import _judged
from tests import factories

FEW, MANY = 60, 240
"""Multiples of the benchmark's six models, whose other settings repeat as often."""
GROWTH = 1.15
"""Beside the fourfold work of four times the workloads; their square would be four."""

PORTS = count(8001)
"""One for each stack: what was judged for another port is judged anew."""

CALLS_EACH = 2200
"""What one workload of the benchmark may take with its share of remedies; it takes 1,900, and took 3,000."""
CALLS_OF_A_CHECK = 2200
"""The same of a check, which took 3,400 while it planned the stack apart; it takes 1,900."""


def calls_of(work: Callable[[], object]) -> int:
    """How many Python functions the work calls: what no other process on the machine changes."""
    calls = 0

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def calls_to_plan(workloads: int) -> int:
    stack = factories.loaded(large_stack(workloads), has_token=True)
    plan = plan_stack(stack)
    assert len(plan.workloads) == workloads
    assert sum(len(node) for node in plan.placement[0].nodes) == workloads
    other = factories.loaded(large_stack(workloads, port=next(PORTS)), has_token=True)
    return calls_of(lambda: plan_stack(other))


def test_what_is_judged_for_one_workload_is_not_judged_again_for_those_alike() -> None:
    stack = factories.loaded(large_stack(FEW, port=next(PORTS), alike=True), has_token=True)
    _judged.cache_clear()
    plan = plan_stack(stack)
    assert _judged.cache_info().misses == len(MODELS)
    first, again = (plan.workloads[place].judgement for place in (0, len(MODELS)))
    assert first == again


def test_a_workload_is_planned_in_few_calls() -> None:
    assert calls_to_plan(FEW) <= FEW * CALLS_EACH


@pytest.mark.slow
def test_four_times_the_workloads_are_four_times_the_work() -> None:
    assert calls_to_plan(MANY) <= GROWTH * MANY / FEW * calls_to_plan(FEW)


def test_as_many_sizes_as_pods_are_packed_in_as_many_steps() -> None:
    def steps(pods: int) -> int:
        pod = PodRequest(workload="w", cpu_millis=0, memory_bytes=2**34, ephemeral_bytes=2**33, gpus=1, replicas=1)
        asked = [replace(pod, workload=f"w{number}", cpu_millis=4000 + number) for number in range(pods)]
        rooms = [PoolRoom(name="l4", shape=find_shape("g2-standard-24"), max_nodes=pods)]
        return calls_of(lambda: (place(asked, rooms), hold(asked, rooms)))

    assert steps(MANY) <= GROWTH * MANY / FEW * steps(FEW)


def test_workloads_that_all_have_other_names_are_compared_in_as_many_steps() -> None:
    def steps(workloads: int) -> int:
        serving = large_stack(workloads)
        named = serving["workloads"].items()
        renamed = {**serving, "workloads": {f"new-{name}": workload for name, workload in named}}
        old, new = (plan_stack(factories.loaded(each, has_token=True)).workloads for each in (serving, renamed))
        pairs = [*((workload, None) for workload in old), *((None, workload) for workload in reversed(new))]
        return calls_of(lambda: list(renames(pairs)))

    assert steps(MANY) <= GROWTH * MANY / FEW * steps(FEW)


def test_a_check_judges_and_drafts_each_workload_once() -> None:
    stack = factories.loaded(large_stack(FEW, port=next(PORTS)), has_token=True)
    version_move(stack, None)
    other = factories.loaded(large_stack(FEW, port=next(PORTS)), has_token=True)
    assert calls_of(lambda: version_move(other, None)) <= FEW * CALLS_OF_A_CHECK


def test_a_check_looks_for_no_remedy_that_it_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    def cures(subject: object) -> tuple[()]:
        tried.append(subject)
        return ()

    monkeypatch.setattr(judging, "_cures", cures)
    unfit = factories.serving({"qwen": factories.workload("google/gemma-7b", engine={"maxModelLen": 8192})})
    (moved,) = version_move(factories.loaded(unfit, has_token=True), None)
    assert moved.breaks
    assert moved.now.judgement.fit is not None
    assert not moved.now.judgement.fit.fits
    assert not tried
