"""Combinations of settings that an engine version refuses, crashes on, ignores or serves badly.

The rules are data: `rules/*.yaml`. A rule has an id, an engine, a version range, a condition over facts (`when`, see
`conditions`), a verdict, the config field to point at, a reason and a remedy (texts that may name facts in braces), and
a source: the place in the engine's own code, mostly with a short quotation of what it says there (`refusal`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from l4serve.config.data_file import read_data
from l4serve.config.tgi import TgiEngine
from l4serve.config.vllm import VllmEngine
from l4serve.engines.conditions import Facts, holds
from l4serve.engines.contract import Contract
from l4serve.engines.rule_inputs import Case, facts_of
from l4serve.engines.traits import GpuTraits, ModelTraits, Severity, Verdict

__all__ = ["GpuTraits", "ModelTraits", "Rule", "Severity", "Verdict", "judge", "rules"]

_ORDER = ("error", "warning", "advice")


@dataclass(frozen=True)
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


@cache
def _rules_of(engine: str, version: Version) -> tuple[Rule, ...]:
    return tuple(
        rule for rule in rules() if rule.engine == engine and version in SpecifierSet(rule.versions, prereleases=True)
    )


def judge(
    engine: VllmEngine | TgiEngine,
    *,
    contract: Contract,
    model: ModelTraits,
    gpu: GpuTraits,
    gpus: int,
    tensor_parallel_size: int,
    pipeline_parallel_size: int,
    allow: frozenset[str],
) -> tuple[Verdict, ...]:
    """Every rule that holds for the workload, errors first; an error whose id is in `allow` comes as a warning."""
    case = Case(
        engine=engine,
        contract=contract,
        model=model,
        gpu=gpu,
        gpus=gpus,
        tensor_parallel_size=tensor_parallel_size,
        pipeline_parallel_size=pipeline_parallel_size,
    )
    facts = facts_of(case)
    concerned = _rules_of(engine.kind, case.version)
    verdicts = (_verdict(rule, facts, allow) for rule in concerned if holds(rule.when, facts))
    return tuple(sorted(verdicts, key=lambda verdict: _ORDER.index(verdict.severity)))


def _verdict(rule: Rule, facts: Facts, allow: frozenset[str]) -> Verdict:
    allowed = rule.id in allow and rule.verdict == "error"
    return Verdict(
        rule_id=rule.id,
        severity="warning" if allowed else rule.verdict,
        field=rule.field,
        reason=_fill(rule.reason, facts) + (" (allowed by the workload)" if allowed else ""),
        remedy=_fill(rule.remedy, facts),
        source=rule.source,
    )


def _fill(text: str, facts: Facts) -> str:
    """The text with `{fact}` replaced; a dot in a fact's name is part of the name."""
    for name, value in facts.items():
        text = text.replace("{" + name + "}", str(value))
    return text
