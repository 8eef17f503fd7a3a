"""The config paths whose values differ between two stacks, with what the table of edits says of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from l4serve.config.stack import StackConfig
from l4serve.planning.difference.rows import ANOTHER, HIDDEN
from l4serve.planning.difference.stack_diff import ConfigEdit
from l4serve.planning.stack.edits import effect_of, find_edit

_HIDDEN = re.compile(r"cluster\.(kubeconfig|context)$")
"""What tells where somebody keeps their credentials."""


def config_edits(before: StackConfig, after: StackConfig, *, existing: bool) -> tuple[ConfigEdit, ...]:
    """The edits that lead from one config, recipes applied, to the other, in the order of the config's fields."""
    old, new = (dict(_leaves(_plain(config))) for config in (before, after))
    paths = dict.fromkeys([*old, *new])
    differing = (path for path in paths if old.get(path) != new.get(path))
    return tuple(_edit(path, old.get(path), new.get(path), existing=existing) for path in differing)


def _edit(path: str, old: Any, new: Any, *, existing: bool) -> ConfigEdit:
    old, new = (HIDDEN, ANOTHER) if _HIDDEN.search(path) else (old, new)
    return ConfigEdit(path, old, new, effect_of(path, existing_cluster=existing))


def _plain(config: StackConfig) -> Any:
    return json.loads(config.model_dump_json(by_alias=True, exclude_unset=True))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths of an object down to the rows of the table of edits, each with its value."""
    if isinstance(value, Mapping) and value and not (path and find_edit(path)):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for position, item in enumerate(value):
            yield from _leaves(item, f"{path}[{position}]")
    else:
        yield path, value
