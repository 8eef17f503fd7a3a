"""Recipes: presets of a workload, kept as YAML in `stacks/recipes`, that any field of the workload overrides."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.config.reading.files import FileRefusedError, read_bytes
from l4serve.config.reading.yaml_reader import MOST_BYTES, YamlError, read_yaml
from l4serve.config.refusals.problem_words import shown
from l4serve.config.refusals.problems import Problem, refuse
from l4serve.config.words.spelling import did_you_mean

_OF_A_CLONE = Path(__file__).parents[2] / "stacks" / "recipes"
MOST_RECIPE_BYTES = 256 * 1024
"""Of all recipes of a stack; those of this project have 20 KiB."""
_ALIKE = 0.6
"""Share of equal letters from which a recipe is proposed: there are few, of long names with parts in common."""
RECIPES = _OF_A_CLONE if _OF_A_CLONE.is_dir() else Path(__file__).parents[1] / "recipe_files"


@frozen()
class Deviation:
    """Where a recipe leaves its original, and why."""

    what: str
    why: str


@frozen()
class Recipe:
    """A preset: `workload` has the shape of a workload in a stack file."""

    name: str
    about: str
    source: str
    deviations: tuple[Deviation, ...]
    workload: Mapping[str, Any]


@cache
def recipes(folder: Path = RECIPES) -> Mapping[str, Recipe]:
    """All recipes of a folder by name, read once. Raises ConfigError for a file that is no recipe."""
    return {name: _read(folder / f"{name}.yaml") for name in _names(folder)}


@cache
def _names(folder: Path) -> tuple[str, ...]:
    return tuple(file.stem for file in sorted(folder.glob("*.yaml")))


@cache
def _read(file: Path) -> Recipe:
    try:
        raw = read_yaml(read_bytes(file, MOST_BYTES))
        if not isinstance(raw["workload"]["engine"]["kind"], str):
            raise TypeError("its engine has no kind")
        return Recipe(
            name=file.stem,
            about=raw["about"],
            source=raw["source"],
            deviations=tuple(Deviation(d["what"], d["why"]) for d in raw.get("deviations", ())),
            workload={**raw["workload"]},
        )
    except (FileRefusedError, YamlError, KeyError, TypeError, AttributeError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        refuse(f"stacks/recipes/{file.name}", f"this is not a recipe: {reason}", "see the other files of the folder")


def apply_recipes(serving: Mapping[str, Any], folder: Path = RECIPES) -> tuple[Mapping[str, Any], list[Problem]]:
    """The serving object with each workload laid over its recipe, and what is wrong with the recipes it names.

    A key set to null in the workload takes the recipe's value away. A workload that changes the engine's version
    without naming an image leaves the recipe's image too, which belongs to the recipe's version.
    """
    workloads = serving.get("workloads")
    if not isinstance(workloads, Mapping):
        return serving, []
    merged, problems = dict(workloads), []
    _refuse_large(workloads.values(), folder)
    for name, workload in workloads.items():
        if not isinstance(workload, Mapping) or workload.get("recipe") is None:
            continue
        path = f"workloads.{name}.recipe"
        asked = str(workload["recipe"])
        # Those that no workload names are not read: a folder may hold any number.
        recipe = _read(folder / f"{asked}.yaml") if asked in _names(folder) else None
        if recipe is None:
            problems.append(_unknown(path, workload["recipe"], _names(folder)))
            merged[name] = _overlay(_STAND_IN, _without_recipe(workload))
        elif problem := _other_engine(path, recipe, workload):
            problems.append(problem)
            merged[name] = _overlay(_STAND_IN, _without_recipe(workload))
        else:
            merged[name] = _overlay(_without_stale_image(recipe.workload, workload), workload)
    return {**serving, "workloads": merged}, problems


def _refuse_large(workloads: Iterable[Any], folder: Path) -> None:
    """Refuses a stack whose recipes would take longer to read than anybody waits."""
    asked = {str(each["recipe"]) for each in workloads if isinstance(each, Mapping) and each.get("recipe")}
    sizes = (path.stat().st_size for name in asked & {*_names(folder)} if (path := folder / f"{name}.yaml").is_file())
    if sum(sizes) > MOST_RECIPE_BYTES:
        what = f"the recipes that the workloads name are larger than {MOST_RECIPE_BYTES // 1024} KiB together"
        refuse("workloads", what, "name fewer or smaller ones")


_STAND_IN: Mapping[str, Any] = {"engine": {"kind": "vllm"}, "model": {"id": "any"}}
"""What every recipe sets, so that a recipe that is not there is not also reported as what it would have set."""


def _without_recipe(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The workload less what only its recipe could judge: the engine's kind may be the recipe's."""
    engine = workload.get("engine")
    kindless = isinstance(engine, Mapping) and engine.get("kind") is None
    return {key: value for key, value in workload.items() if key != "recipe" and not (key == "engine" and kindless)}


def _unknown(path: str, name: Any, known: Sequence[str]) -> Problem:
    hint, all_of_them = did_you_mean(str(name), known, alike=_ALIKE), f"recipes: {', '.join(known)}"
    return Problem(path, f"there is no recipe {shown(name)}", f"{hint} {all_of_them}" if hint else all_of_them)


def _other_engine(path: str, recipe: Recipe, workload: Mapping[str, Any]) -> Problem | None:
    engine = workload.get("engine")
    kind = engine.get("kind") if isinstance(engine, Mapping) else None
    own = recipe.workload["engine"]["kind"]
    if kind in (None, own):
        return None
    return Problem(path, f"the recipe is for {own}, the workload asks for {kind}", "remove engine.kind or the recipe")


def _without_stale_image(preset: Mapping[str, Any], workload: Mapping[str, Any]) -> Mapping[str, Any]:
    engine = workload.get("engine")
    version = engine.get("version") if isinstance(engine, Mapping) else None
    if version is None or str(version) == preset["engine"].get("version"):
        return preset
    return {**preset, "engine": {k: v for k, v in preset["engine"].items() if k != "image"}}


def _overlay(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = _overlay(below, value)
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = value
    return result
