"""Combinations of settings that an engine version refuses, crashes on, ignores or serves badly.

The rules are data: `rules/*.yaml`. A rule has an id, an engine, a version range, a condition over facts (`when`, see
`conditions`), a verdict, the config field to point at, a reason and a remedy (texts that may name facts in braces), and
a source: the place in the engine's own code, mostly with a short quotation of what it says there (`refusal`).
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from l4serve.config.data_file import read_data
from l4serve.config.frozen import frozen
from l4serve.engines.case import Case
from l4serve.engines.conditions import Check, Facts, compiled, fill, needed
from l4serve.engines.rule_inputs import facts_of
from l4serve.engines.traits import Severity, Verdict

_ORDER = ("error", "warning", "advice")


@frozen()
class Rule:
    """One rule of the data files."""

    id: str
    engine: str
    versions: str
    """The releases it holds for, as a specifier such as >=0.13,<0.28."""
    when: Mapping[str, Any]
    verdict: Severity
    field: str
    reason: str
    remedy: str
    source: str
    refusal: str | None = None
    """What the engine itself says, shortened."""


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the files."""
    files = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
    return tuple(Rule(**entry) for file in files for entry in read_data(file))


_Ready = tuple[Rule, frozenset[str], Check]
"""A rule, the facts that it needs, and its condition ready to be asked."""


@cache
def _ready(engine: str) -> tuple[_Ready, ...]:
    concerned = (rule for rule in rules() if rule.engine == engine)
    return tuple((rule, needed(rule.when), compiled(rule.when)) for rule in concerned)


@cache
def _releases(versions: str) -> SpecifierSet:
    return SpecifierSet(versions, prereleases=True)


@cache
def _rules_of(engine: str, version: Version) -> tuple[_Ready, ...]:
    """The rules that concern a release."""
    ranges = {entry[0].versions for entry in _ready(engine)}
    holding = {versions for versions in ranges if version in _releases(versions)}
    return tuple(entry for entry in _ready(engine) if entry[0].versions in holding)


@cache
def _errors_of(engine: str, version: Version) -> tuple[_Ready, ...]:
    return tuple(entry for entry in _rules_of(engine, version) if entry[0].verdict == "error")


def judge(case: Case) -> tuple[Verdict, ...]:
    """Every rule that holds for the workload, errors first; an error that the workload allows comes as a warning."""
    facts = facts_of(case)
    known = {name for name, value in facts.items() if value is not None}
    asked = ((r, met) for r, facts_needed, met in _rules_of(case.engine.kind, case.version) if facts_needed <= known)
    verdicts = (_verdict(rule, facts, case.allow) for rule, met in asked if met(facts))
    return tuple(sorted(verdicts, key=lambda verdict: _ORDER.index(verdict.severity)))


def is_refused(case: Case) -> bool:
    """Whether some rule makes the workload an error: what `judge` says, where its words are not wanted."""
    facts = facts_of(case)
    known = {name for name, value in facts.items() if value is not None}
    return any(
        needs <= known and met(facts) and rule.id not in case.allow
        for rule, needs, met in _errors_of(case.engine.kind, case.version)
    )


def _verdict(rule: Rule, facts: Facts, allow: frozenset[str]) -> Verdict:
    allowed = rule.id in allow and rule.verdict == "error"
    return Verdict(
        rule_id=rule.id,
        severity="warning" if allowed else rule.verdict,
        field=rule.field,
        reason=fill(rule.reason, facts) + (" (allowed by the workload)" if allowed else ""),
        remedy=fill(rule.remedy, facts),
        source=rule.source,
    )
