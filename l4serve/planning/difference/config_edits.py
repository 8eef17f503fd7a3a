"""The config paths whose values differ between two stacks, with what the table of edits says of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from l4serve.config.keys.stack import StackConfig
from l4serve.config.secrecy.secret_names import HIDDEN
from l4serve.planning.difference.rows import ANOTHER
from l4serve.planning.difference.stack_diff import ConfigEdit
from l4serve.planning.stack.edits import effect_of, find_edit

_HIDDEN = re.compile(r"cluster\.(kubeconfig|context)$")
"""What tells where somebody keeps their credentials."""


def config_edits(before: StackConfig, after: StackConfig, *, existing: bool) -> tuple[ConfigEdit, ...]:
    """The edits that lead from one config, recipes applied, to the other, in the order of the config's fields."""
    return edits_between(written(before), written(after), existing=existing)


def edits_between(
    before: Mapping[str, Any], after: Mapping[str, Any], *, existing: bool, hides: Callable[[str], bool] | None = None
) -> tuple[ConfigEdit, ...]:
    """The edits between two serving objects as a stack file writes them.

    `hides` says of a path whether the older text there may be shown; numbers and switches always are.
    """
    old, new = (dict(_leaves(side)) for side in (before, after))
    paths = dict.fromkeys([*old, *new])
    edits = (
        _edit(path, old.get(path), new.get(path), existing=existing)
        for path in paths
        if old.get(path) != new.get(path) and not (_told_below(path, old, new) or _told_below(path, new, old))
    )
    return tuple(replace(edit, before=HIDDEN) if hides and _may_hide(edit, hides) else edit for edit in edits)


def _told_below(path: str, side: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether what is empty at a path on one side is told by the keys that the other side has below it."""
    return side.get(path) in ({}, []) and any(each.startswith((f"{path}.", f"{path}[")) for each in other)


def _may_hide(edit: ConfigEdit, hides: Callable[[str], bool]) -> bool:
    return not isinstance(edit.before, int | float | None) and hides(edit.path)


def _edit(path: str, old: Any, new: Any, *, existing: bool) -> ConfigEdit:
    old, new = (HIDDEN, ANOTHER) if _HIDDEN.search(path) else (old, new)
    return ConfigEdit(path, old, new, effect_of(path, existing_cluster=existing))


def written(config: StackConfig) -> Mapping[str, Any]:
    """A config, recipes applied, as a stack file would write it: what is left to its default is left out."""
    found: Mapping[str, Any] = json.loads(config.model_dump_json(by_alias=True, exclude_unset=True))
    return found


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
