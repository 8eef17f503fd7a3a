"""Planning stays fast in large stacks: its work grows with the workloads, not with their square."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from benchmarks.plan_speed import large_stack
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories

FEW, MANY = 60, 240
"""Multiples of the benchmark's six models, whose other settings repeat as often."""
GROWTH = 1.15
"""Beside the fourfold work of four times the workloads; their square would be four."""

CALLS_EACH = 2000
"""What one workload of the benchmark may take with its share of remedies; it takes 1,600, and took 3,000."""


def calls_of(work: Callable[[], object]) -> int:
    """How many Python functions the work calls: what no other process on the machine changes."""
    count = 0

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def calls_to_plan(workloads: int) -> int:
    stack = factories.loaded(large_stack(workloads), has_token=True)
    plan = plan_stack(stack)
    assert len(plan.workloads) == workloads
    assert sum(len(node) for node in plan.placement[0].nodes) == workloads
    return calls_of(lambda: plan_stack(stack))


def test_a_workload_is_planned_in_few_calls() -> None:
    assert calls_to_plan(FEW) <= FEW * CALLS_EACH


@pytest.mark.slow
def test_four_times_the_workloads_are_four_times_the_work() -> None:
    assert calls_to_plan(MANY) <= GROWTH * MANY / FEW * calls_to_plan(FEW)
