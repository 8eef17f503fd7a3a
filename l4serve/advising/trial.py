"""An edit of a workload tried on its whole stack: what the plan of the edited file refuses is not offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from l4serve.config.frozen import frozen
from l4serve.config.reading.yaml_edits import with_values
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY
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
class Edited:
    """An edit of a workload, and the plan of the stack with it."""

    edit: Mapping[str, object]
    plan: StackPlan


@frozen(kw_only=True)
class Bill:
    """USD an hour of a whole stack, with as many machines as its replicas take: as it is, and with an edit."""

    today: float
    edited: float
    dates: str
    """Days of the prices."""

    @property
    def told(self) -> str:
        """Both in words."""
        return f"the stack costs {self.edited:.2f} USD an hour in place of {self.today:.2f} (prices of {self.dates})"


@frozen(kw_only=True)
class Trial:
    """The text of a stack whose plan is known, and who plans it when a workload of it is edited."""

    text: str
    plan: StackPlan
    planner: Planner

    def edited(self, workload: str, edit: Mapping[str, object]) -> Edited | str:
        """The stack with an edit, or why it does not plan with it."""
        try:
            plan = self.planner(with_values(self.text, {edit_path(workload, key): edit[key] for key in edit}))
        except (ConfigError, ValueError) as error:
            return str(error).splitlines()[0]
        return Edited(edit=edit, plan=plan)

    def with_room(self, workload: str, edit: Mapping[str, object], pool: str | None) -> Edited | None:
        """The stack with an edit and as many more nodes of a pool as it takes; None where a few do not help."""
        found = next((each for each in self.plan.node_pools if each.name == pool and each.create), None)
        if found is None:
            return None
        for more in range(1, MORE_NODES + 1):
            larger = self.edited(workload, {**edit, f"{POOLS}{pool}.maxNodes": found.size.max_nodes + more})
            if isinstance(larger, Edited):
                return larger
        return None

    def bill(self, edited: Edited) -> Bill | None:
        """What the stack costs with an edit, where that is another price than today's."""
        before, after = (plan.cost.at("planned").per_hour for plan in (self.plan, edited.plan))
        if before is None or after is None or before == after:
            return None
        return Bill(today=before, edited=after, dates=", ".join(edited.plan.cost.price_dates))
