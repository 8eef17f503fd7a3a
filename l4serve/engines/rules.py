"""Combinations of settings that an engine version refuses, crashes on, ignores or serves badly.

The rules are data: `rules/*.yaml`. A rule has an id, an engine, a version range, a condition over facts (`when`, see
`conditions`), a verdict, the config field to point at, a reason and a remedy (texts that may name facts in braces), and
a source: the place in the engine's own code, mostly with a short quotation of what it says there (`refusal`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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
_ALWAYS = "version"
"""A fact that is always known."""


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
    changes: tuple[str, ...] = ()
    """Keys of the workload beside the engine's that the remedy changes."""
    refusal: str | None = None
    """What the engine itself says, shortened."""


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the files."""
    files = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
    return tuple(Rule(**entry) for file in files for entry in read_data(file))


_Ready = tuple[int, Rule, frozenset[str], Check]
"""A rule with its place in the files, the facts that it needs, and its condition ready to be asked."""

_Indexed = Mapping[str, Sequence[_Ready]]
"""Rules by the one of the facts that they need which the fewest others need: where it is unknown, none is asked."""


@cache
def _ready(engine: str) -> tuple[tuple[str, _Ready], ...]:
    concerned = [(rule, needed(rule.when)) for rule in rules() if rule.engine == engine]
    wanted = Counter(fact for _, needs in concerned for fact in needs)
    rarest = [min(sorted(needs), key=wanted.__getitem__, default=_ALWAYS) for _, needs in concerned]
    return tuple(
        (fact, (place, rule, needs, compiled(rule.when)))
        for place, (fact, (rule, needs)) in enumerate(zip(rarest, concerned, strict=True))
    )


@cache
def _releases(versions: str) -> SpecifierSet:
    return SpecifierSet(versions, prereleases=True)


@cache
def _rules_of(engine: str, version: Version) -> _Indexed:
    """The rules that concern a release."""
    ranges = {entry[1].versions for _, entry in _ready(engine)}
    holding = {versions for versions in ranges if version in _releases(versions)}
    indexed: dict[str, list[_Ready]] = {}
    for fact, entry in _ready(engine):
        if entry[1].versions in holding:
            indexed.setdefault(fact, []).append(entry)
    return indexed


@cache
def _errors_of(engine: str, version: Version) -> _Indexed:
    by_fact = _rules_of(engine, version).items()
    return {fact: [entry for entry in entries if entry[1].verdict == "error"] for fact, entries in by_fact}


def judge(case: Case) -> tuple[Verdict, ...]:
    """Every rule that holds for the workload, errors first; an error that the workload allows comes as a warning."""
    facts = facts_of(case)
    holding = _holding(_rules_of(case.engine.kind, case.version), facts)
    verdicts = (_verdict(rule, facts, case.allow) for rule in holding)
    return tuple(sorted(verdicts, key=lambda verdict: _ORDER.index(verdict.severity)))


def is_refused(case: Case) -> bool:
    """Whether some rule makes the workload an error: what `judge` says, where its words are not wanted."""
    holding = _holding(_errors_of(case.engine.kind, case.version), facts_of(case))
    return any(rule.id not in case.allow for rule in holding)


def _holding(indexed: _Indexed, facts: Facts) -> list[Rule]:
    """The rules whose condition holds, in the order of the files."""
    known = {name for name, value in facts.items() if value is not None}
    asked = [entry for fact in indexed.keys() & known for entry in indexed[fact] if entry[2] <= known]
    holding = [(place, rule) for place, rule, _, met in asked if met(facts)]
    return [rule for _, rule in sorted(holding)]


def _verdict(rule: Rule, facts: Facts, allow: frozenset[str]) -> Verdict:
    allowed = rule.id in allow and rule.verdict == "error"
    return Verdict(
        rule_id=rule.id,
        severity="warning" if allowed else rule.verdict,
        field=rule.field,
        reason=fill(rule.reason, facts) + (" (allowed by the workload)" if allowed else ""),
        remedy=fill(rule.remedy, facts),
        source=rule.source,
        changes=frozenset(rule.changes),
    )
