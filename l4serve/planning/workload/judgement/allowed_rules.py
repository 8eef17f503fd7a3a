"""Rules that a workload's `allow` names: each has to be one of its engine's."""

from collections.abc import Iterator
from functools import cache

from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.config.words.spelling import nearest
from l4serve.engines.rules import rules


@cache
def _ids(kind: str) -> tuple[str, ...]:
    return tuple(rule.id for rule in rules() if rule.engine == kind)


_ALIKE = 0.6
"""Rules share words, so that fewer equal letters than elsewhere tell which one is meant."""


def unknown_rules(workload: Workload) -> Iterator[Problem]:
    """A misspelt id would override nothing and leave a false reason in the annotations."""
    known = _ids(workload.engine.kind) if workload.allow else ()
    for index, allowed in enumerate(workload.allow):
        if allowed.rule not in known:
            # All ids of an engine begin alike, which says nothing of the rule.
            prefix = f"{workload.engine.kind}-"
            near = nearest(allowed.rule.removeprefix(prefix), (r.removeprefix(prefix) for r in known), alike=_ALIKE)
            remedy = f"did you mean {prefix}{near}?" if near else "remove it; `l4serve contract rules` lists them"
            yield Problem(f"allow[{index}]", f"{workload.engine.kind} has no rule {allowed.rule}", remedy)
