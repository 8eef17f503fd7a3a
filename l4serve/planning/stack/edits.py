"""What an edit of each config field does to a deployed stack. Data: data/edits.yaml and data/force_new.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import cache, lru_cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.base import fields_by_key


class Effect(IntEnum):
    """Effects of an edit, the hardest last. A row has the usual one; its note says where a value makes it harder."""

    NOTHING = 0
    IN_PLACE = 1
    POD_RESTART = 2
    WORKLOAD_REPLACED = 3
    NODE_RECREATION = 4
    POOL_REPLACED = 5
    CLUSTER_REPLACED = 6

    @property
    def text(self) -> str:
        """As the table and the command line write it, such as `pod restart`."""
        return self.name.lower().replace("_", " ")


@frozen()
class Edit:
    """A row of the table: a config path, the effect of an edit there, and the provider's fields behind it."""

    path: str
    effect: Effect
    existing: Effect | None
    """The effect on a cluster that the stack did not make, where it differs."""
    fields: tuple[str, ...]
    note: str


@cache
def all_edits() -> tuple[Edit, ...]:
    """Every row of the table."""
    return tuple(
        Edit(
            path=row["path"],
            effect=_effect(row["effect"]),
            existing=_effect(row["existing"]) if "existing" in row else None,
            fields=tuple(row.get("fields", ())),
            note=row.get("note", ""),
        )
        for row in load_data(__file__, "edits.yaml")["edits"]
    )


@lru_cache(maxsize=2**15)
def find_edit(path: str) -> Edit | None:
    """The row of a config path, with map keys and list positions as they stand in YAML or as `*` and `[]`."""
    rows = _edits_of_field()
    named = rows.get(_last_step(path), rows["*"])
    return next((edit for edit in named if _pattern(edit.path).fullmatch(path)), None)


def effects_below(path: str) -> tuple[Effect, ...]:
    """The effects of edits of an object's or a list's parts, the softest first; its own, where it has a row."""
    rows = (edit for edit in all_edits() if re.match(rf"{re.escape(path)}(\.|\[\]|$)", edit.path))
    return tuple(sorted({edit.effect for edit in rows}))


@cache
def _edits_of_field() -> Mapping[str, tuple[Edit, ...]]:
    """The rows by the last step of their path; those that end in any key are in each entry, and alone in `*`."""
    ends = [(edit, _last_step(edit.path)) for edit in all_edits()]
    steps = {end for _, end in ends} - {"**"} | {"*"}
    return {step: tuple(edit for edit, end in ends if end in (step, "*", "**")) for step in steps}


def _last_step(path: str) -> str:
    return path.rpartition(".")[2].partition("[")[0]


def effect_of(path: str, *, existing_cluster: bool = False) -> Effect | None:
    """The effect of an edit at a config path; None for a path that is no config field."""
    edit = find_edit(path)
    if edit is None:
        return None
    return edit.existing if existing_cluster and edit.existing is not None else edit.effect


def configured_edits(config: BaseModel, *, existing_cluster: bool = False) -> tuple[tuple[str, Effect], ...]:
    """Every field that a config sets, in its order, with the effect of an edit there."""
    paths = dict(_set_paths(config, "", ""))
    found = ((path, effect_of(row, existing_cluster=existing_cluster)) for path, row in paths.items())
    return tuple((path, effect) for path, effect in found if effect is not None)


def field_effect(field: str) -> Effect:
    """The effect of a changed provider field, such as `google_container_node_pool.node_config.spot`."""
    resource, _, path = field.partition(".")
    table = load_data(__file__, "force_new.yaml")
    if _covered(path, table["forceNew"].get(resource, ())):
        return _REPLACEMENT.get(resource, Effect.CLUSTER_REPLACED)
    if _covered(path, table["nodeRecreation"].get(resource, ())):
        return Effect.NODE_RECREATION
    return Effect.POD_RESTART if _covered(path, table["podRestart"].get(resource, ())) else Effect.IN_PLACE


def config_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every leaf of a config model as a path: `*` for map keys, `[]` for list items, unions merged."""
    seen: set[str] = set()
    for name, info in model.model_fields.items():
        path = f"{prefix}.{info.alias or name}" if prefix else info.alias or name
        below = tuple(_models(info.annotation))
        leaves = [leaf for suffix, inner in below for leaf in config_paths(inner, path + suffix)] if below else [path]
        yield from (leaf for leaf in leaves if leaf not in seen)
        seen.update(leaves)


_REPLACEMENT: Mapping[str, Effect] = {
    "google_container_node_pool": Effect.POOL_REPLACED,
    "google_compute_router": Effect.IN_PLACE,
    "google_compute_router_nat": Effect.IN_PLACE,
    "google_service_account": Effect.POOL_REPLACED,
    "kubernetes_deployment": Effect.WORKLOAD_REPLACED,
    "kubernetes_service": Effect.WORKLOAD_REPLACED,
    "kubernetes_secret": Effect.POD_RESTART,
    "kubernetes_namespace": Effect.WORKLOAD_REPLACED,
}


def _set_paths(value: Any, path: str, row: str) -> Iterator[tuple[str, str]]:
    """Paths of the leaves that were set, each with the keys and positions of the config and as the rows write them."""
    if isinstance(value, BaseModel):
        for alias, name in fields_by_key(type(value)).items():
            if name in value.model_fields_set:
                below = (f"{path}.{alias}", f"{row}.{alias}") if path else (alias, alias)
                yield from _set_paths(getattr(value, name), *below)
    elif isinstance(value, Mapping) and any(isinstance(item, BaseModel) for item in value.values()):
        for key, item in value.items():
            yield from _set_paths(item, f"{path}.{key}", f"{row}.*")
    elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        for position, item in enumerate(value):
            yield from _set_paths(item, f"{path}[{position}]", f"{row}[]")
    else:
        yield path, row


def _effect(text: str) -> Effect:
    return Effect[text.upper().replace(" ", "_")]


def _covered(path: str, prefixes: Any) -> bool:
    return any(path == prefix or path.startswith(prefix + ".") for prefix in prefixes)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    escaped = re.escape(path).replace(r"\*\*", r".+").replace(r"\*", r"[^.\[]+").replace(r"\[\]", r"\[\d*\]")
    return re.compile(escaped)


def _models(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """The config models inside an annotation, each with the path step that leads to it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif origin is Annotated:
        yield from _models(arguments[0])
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from _models(argument)
    elif origin is tuple:
        yield from ((f"[]{step}", model) for step, model in _models(arguments[0]))
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield from ((f".*{step}", model) for step, model in _models(arguments[1]))
