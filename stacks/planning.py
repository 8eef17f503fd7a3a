"""From a loaded stack to its plan, for Pulumi and the CLI alike."""

from components.planning.plan import StackPlan, plan_stack
from stacks.stack_file import Stack, Token


def plan(stack: Stack) -> StackPlan:
    """The plan of a stack; raises ConfigError with every problem."""
    return plan_stack(
        stack.config,
        stack=stack.name,
        project=stack.project,
        has_token=stack.token is Token.CONFIGURED,
        model_configs=stack.model_configs,
    )
