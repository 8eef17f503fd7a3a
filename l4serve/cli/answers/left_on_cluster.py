"""What `l4serve doctor` says of an exported state in which nothing is pending."""

from collections.abc import Mapping
from typing import Any

from l4serve.cli.project import is_own, project_root, stack_names, stack_path
from l4serve.cli.shell.output import one_line, say
from l4serve.config.reading.files import FileRefusedError
from l4serve.config.refusals.problems import ConfigError, StackFileError
from l4serve.config.stack_file import PROJECT, read_stack_file
from l4serve.planning.stack.left_changes import deployments
from l4serve.planning.stack.pending import REAPPLYING
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack

_TAKES_BACK = f"pulumi cancel; {REAPPLYING}"


def tell_what_is_left(state: Mapping[str, Any]) -> bool:
    """Says which Deployments the cluster has otherwise than the state; returns whether one needs healing.

    The cluster is that of the project's stack: a state is only read, and nothing in it is run.
    """
    if not any(deployments(state)):
        say("Nothing is pending: pulumi cancel, then pulumi up, goes on.")
        return False
    from l4serve.verification.cluster_access import AccessError

    try:
        plan = _plan_of(state)
        changed = _changed(state, plan) if plan else None
        why = "its stack is none of this project"
    except AccessError as error:
        changed, why = None, str(error).partition("\n")[0]
    if changed is None:
        say(f"Nothing is pending. Whether the cluster has what the state says is not known: {one_line(why)}.")
        say(
            f"An update since the one that was killed may have left what that one changed; taken back by: {_TAKES_BACK}"
        )
        return False
    if not changed:
        say("Nothing is pending, and the cluster has what the state says: pulumi cancel, then pulumi up, goes on.")
        return False
    for name in changed:
        say(f"{one_line(name)}\n    is not on the cluster as the state says: a killed update or a hand changed it")
    say(f"Heal it with: {_TAKES_BACK}")
    return True


def _changed(state: Mapping[str, Any], plan: StackPlan) -> list[str]:
    from l4serve.verification.doctor_state import changed_deployments

    own = is_own(stack_path(plan.stack, None))
    return changed_deployments(state, plan.cluster, plan.stack, project_root(), trusted=own)


def _plan_of(state: Mapping[str, Any]) -> StackPlan | None:
    """The plan of the project's stack that a state is of."""
    urn = state["deployment"]["resources"][0]["urn"]
    name, _, rest = urn.removeprefix("urn:pulumi:").partition("::")
    root = project_root()
    if rest.partition("::")[0] != PROJECT or name not in stack_names(root):
        return None
    try:
        return plan_stack(read_stack_file(stack_path(name, None)))
    except (ConfigError, StackFileError, FileRefusedError):
        return None
