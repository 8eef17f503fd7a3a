"""What a user may write: every default, and the words of a refusal."""

import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import l4serve.config.keys
from l4serve.config.keys.base import ConfigModel
from l4serve.config.keys.stack import StackConfig
from l4serve.config.refusals.problems import problems_from
from tests.config.wrong_configs import GOOD
from tests.each_case import each


def models() -> list[type[ConfigModel]]:
    found: dict[str, type[ConfigModel]] = {}
    for module in pkgutil.iter_modules(l4serve.config.keys.__path__):
        for name, item in inspect.getmembers(import_module(f"l4serve.config.keys.{module.name}"), inspect.isclass):
            if issubclass(item, ConfigModel) and item is not ConfigModel:
                found[name] = item
    return [found[name] for name in sorted(found)]


FIELDS = [(model, name) for model in models() for name, field in model.model_fields.items() if not field.is_required()]


@each(FIELDS, lambda case: f"{case[0].__name__}.{case[1]}")
def test_a_default_may_be_written_out(case: tuple[type[ConfigModel], str]) -> None:
    model, name = case
    field = model.model_fields[name]
    value = field.get_default(call_default_factory=True)
    plain = value.model_dump(by_alias=True, exclude_defaults=True) if isinstance(value, BaseModel) else value
    try:
        model.model_validate({field.alias: plain})
    except ValidationError as refusal:
        assert not [e for e in refusal.errors() if e["loc"][:1] == (field.alias,)]


@each(FIELDS, lambda case: f"{case[0].__name__}.{case[1]}")
def test_a_default_that_is_a_model_is_what_its_class_makes_of_nothing(case: tuple[type[ConfigModel], str]) -> None:
    default = case[0].model_fields[case[1]].get_default(call_default_factory=True)
    if isinstance(default, ConfigModel):
        made = type(default)()
        assert (default, default.model_fields_set, default.model_dump()) == (made, set(), made.model_dump())


def test_loading_the_config_compiles_no_validator() -> None:
    """Each class would cost every command's start some milliseconds; the stack's own validator holds them all."""
    code = (
        "import l4serve.config.keys.stack, l4serve.config.keys.base as base\n"
        "waiting = [base.ConfigModel]\n"
        "for kind in waiting: waiting += kind.__subclasses__()\n"
        "print(len(waiting), *(kind.__name__ for kind in waiting[1:] if kind.__pydantic_complete__))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, *complete = done.stdout.split()
    assert int(count) > 50
    assert complete == []


@pytest.mark.parametrize(
    ("edit", "message", "remedy"),
    [
        ({"workloads": []}, "a mapping is expected", ""),
        ({"nodePools": {"l4": "g2-standard-8"}}, "a mapping is expected", ""),
        ({"allowReplace": "cluster"}, "a list is expected", ""),
        ({"namespace": True}, "a text is expected", 'put it in quotes: "true"'),
        ({"namespace": None}, "the key has no value, and a text is expected", ""),
        ({"namespace": 1.5}, "'1.5' is not a namespace", ""),
    ],
)
def test_types_are_named_as_yaml_names_them(edit: dict[str, Any], message: str, remedy: str) -> None:
    with pytest.raises(ValidationError) as refused:
        StackConfig.model_validate(GOOD | edit)
    (problem,) = problems_from(refused.value)
    assert problem.message.startswith(message)
    assert problem.remedy == remedy


@pytest.mark.parametrize("value", [".inf", float("inf"), float("nan")])
def test_infinite_numbers_are_refused(value: Any) -> None:
    engine = {"kind": "tgi", "version": "3.3.7", "waitingServedRatio": value}
    workload = {"engine": engine, "model": {"id": "a/b"}}
    with pytest.raises(ValidationError, match="waitingServedRatio"):
        StackConfig.model_validate(GOOD | {"workloads": {"a": workload}})
