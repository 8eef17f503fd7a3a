"""Overrides of the model's config.json on a command line that no file may hold."""

from collections.abc import Iterator, Mapping
from typing import Any

from l4serve.config.refusals.problems import Problem
from l4serve.engines.arguments.checking import Option, read_options
from l4serve.engines.arguments.config_values import read_object, read_word
from l4serve.engines.case import Case
from l4serve.planning.models.override_faults import override_faults

_WHOLE = "--hf-overrides"
_OF_A_KEY = ("--rope-scaling", "--rope-theta")
"""Options of older releases that override one key, which they are named after."""


def overridden_shape(case: Case) -> Iterator[Problem]:
    """Extra arguments that put into a config.json what is refused in one."""
    stated = case.model.max_position_embeddings or 1
    for option in read_options(case.extra_args, case.contract) if case.extra_args else ():
        for fault in override_faults(_overrides(option), stated):
            message = f"{option.token} puts into config.json what no model has: {fault}"
            yield Problem(
                f"extraArgs[{option.index}]", message, "give what the model's config.json may say, or remove it"
            )


def _overrides(option: Option) -> Mapping[str, Any]:
    """What an option overrides; nothing where it is another one, or where the release does not read its value."""
    name = option.flag.name if option.flag else ""
    if not option.values or name not in (_WHOLE, *_OF_A_KEY):
        return {}
    found: Any = read_word(option.values[0]) if option.key or name == "--rope-theta" else read_object(option.values[0])
    above = [] if name == _WHOLE else [name.removeprefix("--").replace("-", "_")]
    for key in reversed([*above, *(option.key.split(".") if option.key else ())]):
        found = {key: found}
    return found if isinstance(found, Mapping) else {}
