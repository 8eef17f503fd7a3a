"""Names of models, places and classes among arguments and JSON values: each follows the form that such names have."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.refusals.problems import Problem
from l4serve.config.words.written_forms import GIT_REF, PLACE, PYTHON_NAME, SOURCE, TREE, called
from l4serve.engines.arguments.checking import Option

_FORMS = {"source": SOURCE, "revision": GIT_REF, "place": PLACE, "folder": TREE, "class": PYTHON_NAME}
_LONGEST = 500
"""Characters of a name; the fields of the engine take as many."""
_INSTEAD = {
    "source": "write owner/name, or the absolute path of a folder in the container",
    "revision": "write a branch, a tag or a commit",
    "place": "write an absolute path without . and ..",
    "folder": "write an absolute path without . and ..",
    "class": "write it as package.module.Name",
}


@cache
def _kinds() -> Mapping[str, str]:
    return {name: kind for kind, names in load_data(__file__, "identifiers.yaml").items() for name in names}


def odd_identifiers(option: Option, path: str) -> Iterator[Problem]:
    """Values of an option that do not have the form of what they name."""
    kind = _kinds().get(option.flag.name) if option.flag else None
    if kind is not None and any(_is_odd(value, kind) for value in option.values):
        yield _problem(path, option.token, kind)


def odd_names_inside(value: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Keys of a JSON object, such as a draft's `model`, whose text does not have the form of what they name."""
    for key, inner in value.items():
        kind = _kinds().get(key)
        if kind is not None and isinstance(inner, str) and _is_odd(inner, kind):
            yield _problem(f"{path}.{key}", "the value", kind)


def _is_odd(value: str, kind: str) -> bool:
    return len(value) > _LONGEST or not re.fullmatch(_FORMS[kind], value)


def _problem(path: str, named: str, kind: str) -> Problem:
    return Problem(path, f"{named} {called(_FORMS[kind])}", _INSTEAD[kind])
