"""The table of rows: every attribute of a plan has a row, or a reason why it reaches no resource."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from l4serve.config.data_file import load_data
from l4serve.planning.difference import rows as rows_module
from l4serve.planning.difference.rows import rows
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.stack.edits import Effect
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests.each_case import each

ROOTS: dict[str, type] = {"workload": WorkloadPlan, "pool": PoolPlan, "cluster": ClusterPlan}
TABLE = load_data(rows_module.__file__, "rows.yaml")
KNOWN = {row.path for kind in ("workload", "pool", "cluster") for row in rows(kind)} | set(TABLE["notDeployed"])


def leaves(model: Any, path: str) -> Iterator[str]:
    """Attributes of a plan down to those that the table knows."""
    hints = get_type_hints(model)
    for field in fields(model):
        at = f"{path}.{field.name}"
        inner = next((t for t in (hints[field.name], *get_args(hints[field.name])) if is_dataclass(t)), None)
        if at in KNOWN or inner is None or get_origin(hints[field.name]) is tuple:
            yield at
        else:
            yield from leaves(inner, at)


@pytest.mark.parametrize("root", ROOTS)
def test_every_attribute_of_a_plan_has_a_row_or_a_reason(root: str) -> None:
    system_pool = {f"cluster.managed.system_pool.{key}" for key in ("machine_type", "disk_size_gb", "min_nodes")}
    missing = [path for path in leaves(ROOTS[root], root) if path not in KNOWN]
    assert [path for path in missing if path != "cluster.managed.system_pool"] == [], "add a row to rows.yaml"
    assert system_pool <= KNOWN


def test_no_row_names_an_attribute_that_is_not_there() -> None:
    for root, model in ROOTS.items():
        for path in (known for known in KNOWN if known.startswith(f"{root}.")):
            at: Any = model
            for step in path.split(".")[1:]:
                hint = get_type_hints(at).get(step)
                assert hint is not None or hasattr(at, step), path
                at = next((t for t in (hint, *get_args(hint)) if isinstance(t, type)), None)


@each([kind for kind in TABLE if kind != "notDeployed"], str)
def test_rows_stand_by_how_hard_they_land(kind: Any) -> None:
    landings = [row.lands for row in rows(kind)]
    assert landings == sorted(landings, reverse=True)
    assert len({row.says for row in rows(kind)}) == len(landings)


def test_each_word_of_the_edit_table_has_its_steps_of_the_engine() -> None:
    steps = load_data(rows_module.__file__, "engine_steps.yaml")
    assert set(steps) == {effect.text for effect in Effect} | {"added", "removed"}
