"""An edit of a workload tried on its whole stack: what the plan of the edited file refuses is not offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from l4serve.config.frozen import frozen
from l4serve.config.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY
from l4serve.config.yaml_edits import with_values
from l4serve.planning.stack.stack_plan import StackPlan

POOLS = "nodePools."
MORE_NODES = 2
"""Nodes by which a pool that has no room for an edit is made larger."""
Planner = Callable[[str], StackPlan]
"""Plans the text of a stack file; raises ConfigError where it is refused."""


def edit_path(workload: str, key: str) -> tuple[str, ...]:
    """Where a key of an edit stands in a stack file: below the workload, or (`nodePools.`) the stack."""
    below = () if key.startswith(POOLS) else ("workloads", workload)
    return ("config", SERVING_KEY, *below, *key.split("."))


@frozen(kw_only=True)
class Trial:
    """The text of a stack whose plan is known, and who plans it when a workload of it is edited."""

    text: str
    plan: StackPlan
    planner: Planner

    def refused(self, workload: str, edit: Mapping[str, object]) -> str | None:
        """Why the stack does not plan with an edit; None where it does."""
        try:
            self.planner(with_values(self.text, {edit_path(workload, key): value for key, value in edit.items()}))
        except (ConfigError, ValueError) as error:
            return str(error).splitlines()[0]
        return None

    def with_room(self, workload: str, edit: Mapping[str, object], pool: str | None) -> Mapping[str, object] | None:
        """The edit with as many more nodes of a pool as it takes; None where a few do not help."""
        found = next((each for each in self.plan.node_pools if each.name == pool and each.create), None)
        if found is None:
            return None
        for more in range(1, MORE_NODES + 1):
            larger = {**edit, f"{POOLS}{pool}.maxNodes": found.size.max_nodes + more}
            if self.refused(workload, larger) is None:
                return larger
        return None
