"""Remedies of a value that the release does not know: those that it knows, as far as the whole workload takes them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from l4serve.config.keys.base import fields_by_key
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.config.words.spelling import nearest, shortened
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.field_flags import flag_names

_ALIKE = 0.6
"""Share of equal letters from which a value that is taken is proposed: there are few, of few letters."""
_NO_VALUE = "None"

Refused = Callable[[Mapping[str, object]], set[str]]
"""The paths at which the workload with an edit is refused."""


def with_taken(problem: Problem, workload: Workload, contract: Contract, refused: Refused) -> Problem:
    """The problem; of a value that no choice is like, its remedy names what is taken instead of all choices."""
    key = problem.path.removeprefix("engine.")
    field = fields_by_key(type(workload.engine)).get(key)
    if field is None or problem.path == key:
        return problem
    value = getattr(workload.engine, field)
    flag = next(filter(None, map(contract.flag, flag_names(workload.engine.kind, field))), None)
    known = (flag.choices or flag.values or ()) if flag else ()
    if not isinstance(value, str) or not known or value in known or nearest(value, known):
        return problem
    others = refused({}) - {problem.path}
    taken = [each for each in known if each != _NO_VALUE and refused({problem.path: each}) <= others]
    return replace(problem, remedy=_remedy(problem.path, value, taken)) if taken else problem


def _remedy(path: str, value: str, taken: Iterable[str]) -> str:
    words = tuple(taken)
    near = shortened(value, words) or nearest(value, words, alike=_ALIKE)
    return f"did you mean {near}? Else remove {path}" if near else f"choose one of {', '.join(words)}"
