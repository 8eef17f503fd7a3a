"""Updates that turn a part of the cluster off before they delete what needs it. Data: data/addons.yaml."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.refusals.problems import Problem
from l4serve.planning.stack.stack_plan import StackPlan

_NEEDS: Mapping[str, Callable[[StackPlan], bool]] = {
    "gatewayApi": lambda plan: plan.gateway is not None,
    "secretManager": lambda plan: any(secret and secret.source == "secret-manager" for secret in _secrets(plan)),
    "gcsFuse": lambda plan: any(volume.bucket for each in plan.workloads for volume in each.storage.volumes),
}


def needed_addons(plan: StackPlan) -> frozenset[str]:
    """Keys of `cluster` that what a plan deploys needs turned on, all its life and until it is deleted."""
    return frozenset(field for field, needs in _NEEDS.items() if needs(plan))


def deployed_addons(kinds: Collection[str], drivers: Collection[str]) -> frozenset[str]:
    """The same of what is deployed: kinds of objects as `GROUP/VERSION:KIND`, and drivers of the pods' volumes."""
    return frozenset(row["field"] for row in _rows() if {*row["kinds"]} & {*kinds} or {*row["drivers"]} & {*drivers})


def addon_problems(needed: Collection[str], plan: StackPlan) -> Iterator[Problem]:
    """One problem for each part of the cluster that the plan turns off while what is deployed needs it."""
    managed = plan.cluster.managed
    if managed is None:
        return
    for row in _rows():
        if row["field"] in needed and not getattr(managed, row["attribute"]):
            path = f"cluster.{row['field']}"
            what = f"the update turns it off before it takes away {row['by']}: {row['then']}"
            yield Problem(path, what, f"(1) this config with {path}: true, pulumi up; (2) this config, pulumi up")


def _secrets(plan: StackPlan) -> Iterator[Any]:
    yield plan.secret
    yield from (each.engine.key_source for each in plan.workloads)


def _rows() -> tuple[Mapping[str, Any], ...]:
    return tuple(load_data(__file__, "addons.yaml")["addons"])
