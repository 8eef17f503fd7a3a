"""Values of a plan in a report: no field by a name that only the program has, nothing that is unset."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest

from l4serve.config.words.characters import RUNNER_COMMAND
from l4serve.planning.difference.rows import Kind, rows
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.gateway import GatewayPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan
from l4serve.report import comment
from l4serve.report.shown_values import FIELDS, shown, shown_edit

ROOTS: dict[Kind, type] = {"workload": WorkloadPlan, "pool": PoolPlan, "cluster": ClusterPlan, "gateway": GatewayPlan}


def classes(hint: Any) -> Iterator[type]:
    """The dataclasses in a type hint."""
    if is_dataclass(hint) and isinstance(hint, type):
        yield hint
    for inner in get_args(hint):
        yield from classes(inner)


def hint_of(model: type, step: str) -> Any:
    """The type of a field or property."""
    at: Any = getattr(model, step, None)
    getter = getattr(at, "fget", None) or getattr(at, "func", None)
    return get_type_hints(getter)["return"] if getter else get_type_hints(model).get(step)


def at_path(model: type, steps: list[str]) -> list[type]:
    """The dataclasses that a path leads to."""
    found = [model]
    for step in steps:
        found = [inner for each in found for inner in classes(hint_of(each, step))]
    return found


def names(model: type) -> Iterator[str]:
    """Names of the fields of a dataclass and of all in it."""
    hints = get_type_hints(model)
    for field in fields(model):
        yield field.name
        for inner in classes(hints[field.name]):
            yield from names(inner)


def test_each_field_of_several_words_is_said_in_words_or_as_the_config_has_it() -> None:
    missing = {
        name
        for kind, root in ROOTS.items()
        for row in rows(kind)
        for model in (at_path(root, row.path.split(".")[1:]) if row.path.startswith(f"{kind}.") else ())
        for name in names(model)
        if "_" in name and name not in FIELDS
    }
    assert missing == set(), "say them in FIELDS of l4serve/report/shown_values.py"


def test_what_is_not_set_is_left_out() -> None:
    assert shown({"claim": "models", "bucket": None, "read_only": True}) == "claim models, read only on"
    assert shown({"bucket": None}) == "none"
    assert shown({"size_gb": 50}) == "sizeGb 50"


def test_a_list_is_told_as_people_write_one() -> None:
    assert shown([["logs", "roles/storage.objectUser"]]) == "logs roles/storage.objectUser"
    assert shown(["models", "logs"]) == "models, logs"
    assert shown(["a (TCP 1, TCP 2)", "b"]) == "a (TCP 1, TCP 2); b"
    assert shown([{"name": "a"}, {"name": "b"}]) == "name a; name b"
    assert shown([]) == "none"


def test_an_empty_text_is_left_out_or_marked() -> None:
    volume = {"name": "weights", "sub_path": "", "bucket": {"bucketName": "models"}}
    assert shown(volume) == "name weights, bucket models"
    assert shown({"A": ""}) == 'A ""', "a variable of the user's own is set"
    assert shown(["", "a"]) == '"", a'
    assert shown("") == "none"
    assert shown_edit("") == '""'


@pytest.mark.parametrize("text", ["##[error]x", "a ##vso[task.complete]", "##teamcity[x]"])
def test_code_of_a_comment_is_no_command_to_a_runner(text: str) -> None:
    assert RUNNER_COMMAND.search(text)
    assert not RUNNER_COMMAND.search(comment._code(text))
