"""Planning stays fast in large stacks: its time grows with the workloads, not with their square."""

from benchmarks.plan_speed import large_stack, timed
from components.config.stack import StackConfig
from components.planning.plan import plan_stack

WORKLOADS = 400
SECONDS = 2.0
"""Five times the goal of a second for 1,000 workloads, for slow machines."""


def test_hundreds_of_workloads_plan_in_a_moment() -> None:
    config = StackConfig.model_validate(large_stack(WORKLOADS))
    plan, seconds = timed(
        lambda: plan_stack(config, stack="test", project="my-project", has_token=True, model_configs={})
    )
    assert len(plan.workloads) == WORKLOADS
    assert sum(len(node) for node in plan.placement[0].nodes) == WORKLOADS
    assert seconds < SECONDS
