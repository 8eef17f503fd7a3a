"""Remedies of rules that name an edit, completed by what the edited workload needs beside it.

A rule knows the engine alone: fewer shards than the pod has GPUs, or a longer context than the card holds, would be
refused in their turn.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from l4serve.config.keys.base import fields_by_key
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.memory.remedies import written_edit

_EDIT = re.compile(r"^set ((?:engine\.\w+: [\w.-]*\w)(?:(?:, | and )engine\.\w+: [\w.-]*\w)*)")
_PAIR = re.compile(r"(engine\.\w+): ([\w.-]*\w)")
_OTHER_ENGINE = ("engine.version", "engine.kind", "engine.contract")
"""Edits that lead to another contract, which is judged when they are made."""

Needs = Callable[[Mapping[str, object]], Mapping[str, object]]
"""From an edit to those that its workload then needs for its memory."""


def completed(problem: Problem, workload: Workload, layout: GpuLayout, needs: Needs) -> Problem:
    """The problem, its remedy with all that the whole judgement wants of the edited workload."""
    found = _EDIT.match(problem.remedy or "")
    edit = dict(_PAIR.findall(found[1])) if found else {}
    known = fields_by_key(type(workload.engine))
    if found is None or any(key in _OTHER_ENGINE or key.removeprefix("engine.") not in known for key in edit):
        return problem
    whole: dict[str, object] = {key: _read(value) for key, value in edit.items()}
    shards = whole.get(engine_profile(workload.engine.kind).path("shards"))
    if workload.gpus is not None and isinstance(shards, int):
        whole["gpus"] = shards * layout.pipeline_parallel_size
    whole |= needs(whole)
    if len(whole) == len(edit) and all(str(whole[key]) == value for key, value in edit.items()):
        return problem
    text = f"set {written_edit(whole)}{(problem.remedy or '')[found.end() :]}"
    return replace(problem, remedy=text, changes=problem.changes | whole.keys())


def _read(value: str) -> object:
    """A value as YAML reads it, of the kinds that rules write."""
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdigit() else float(value) if re.fullmatch(r"\d+\.\d+", value) else value
