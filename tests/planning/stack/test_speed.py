"""Planning stays fast in large stacks: its time grows with the workloads, not with their square."""

from benchmarks.plan_speed import large_stack, timed
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories

WORKLOADS = 400
SECONDS = 2.0
"""Five times the goal of a second for 1,000 workloads, for slow machines."""


def test_hundreds_of_workloads_plan_in_a_moment() -> None:
    stack = factories.loaded(large_stack(WORKLOADS), has_token=True)
    plan, seconds = timed(lambda: plan_stack(stack))
    assert len(plan.workloads) == WORKLOADS
    assert sum(len(node) for node in plan.placement[0].nodes) == WORKLOADS
    assert seconds < SECONDS
