"""Rules are well-formed data with sources, and are applied as documented."""

import re
from collections import defaultdict
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from pydantic.alias_generators import to_camel

from l4serve.config.keys.tgi import TgiEngine
from l4serve.config.keys.vllm import VllmEngine
from l4serve.engines.case import Case
from l4serve.engines.conditions import RuleError, holds, needed
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.releases.contract import contract_versions
from l4serve.engines.releases.resolution import resolve_contract
from l4serve.engines.rule_inputs import facts_of
from l4serve.engines.rules import Rule, rules
from tests.each_case import each
from tests.engines.rule_cases import GEMMA, L4, QWEN, UNDESCRIBED, errors, verdicts


@each(rules(), lambda rule: rule.id)
def test_a_rule_is_well_formed(rule: Rule) -> None:
    assert rule.engine in ("vllm", "tgi")
    assert rule.id.startswith(f"{rule.engine}-")
    assert rule.verdict in ("error", "warning", "advice")
    assert SpecifierSet(rule.versions)
    assert rule.source.startswith("https://")
    fields = {to_camel(f) for f in (VllmEngine if rule.engine == "vllm" else TgiEngine).model_fields}
    top, _, rest = rule.field.partition(".")
    assert top in ("engine", "model", "gpus", "extraEnv")
    assert top != "engine" or rest.split(".")[0] in fields


@each(rules(), lambda rule: rule.id)
def test_a_rule_names_only_facts_that_exist(rule: Rule) -> None:
    kind = rule.engine
    version = contract_versions(kind)[-1]
    engine = (VllmEngine if kind == "vllm" else TgiEngine).model_validate({"version": version})
    case = Case(
        engine=engine,
        contract=resolve_contract(kind, version).contract,
        model=GEMMA,
        gpu=L4,
        layout=GpuLayout(1, 1, 1),
        port=8000,
    )
    facts = facts_of(case)
    holds(rule.when, facts)
    for text in (rule.reason, rule.remedy):
        named = re.findall(r"\{([\w.]+)\}", text)
        assert set(named) <= set(facts), text
        assert len(re.findall(r"[{}]", text)) == 2 * len(named), text


def test_ids_are_unique() -> None:
    ids = [rule.id for rule in rules()]
    assert len(ids) == len(set(ids))


def test_the_refusals_of_many_rules_are_quoted_from_the_engine_at_a_version_and_line() -> None:
    pinned = re.compile(r"/(blob/v[\d.]+/.+#L\d+|issues/\d+|pull/\d+)$")
    quoted = {rule.id for rule in rules() if rule.verdict == "error" and rule.refusal and pinned.search(rule.source)}
    assert len(quoted) >= 30


def test_an_allowed_rule_warns_and_others_still_refuse() -> None:
    allowed = verdicts(
        "vllm",
        "0.26.0",
        maxModelLen=9000,
        quantization="awq",
        allow=frozenset({"vllm-context-beyond-model"}),
    )
    assert allowed["vllm-context-beyond-model"].severity == "warning"
    assert "allowed" in allowed["vllm-context-beyond-model"].reason
    assert allowed["vllm-quantization-of-unquantised-checkpoint"].severity == "error"
    assert next(iter(allowed.values())).severity == "error"


def test_a_named_contract_stands_in_for_the_version() -> None:
    newest = verdicts("vllm", "99.0", QWEN, contract="0.33.0", quantization="bitsandbytes")
    assert "vllm-bitsandbytes-removed" in newest
    older = verdicts("vllm", "99.0", QWEN, contract="0.26.0", quantization="bitsandbytes")
    assert "vllm-bitsandbytes-removed" not in older


def test_nothing_is_said_of_a_model_that_nobody_described() -> None:
    assert verdicts("vllm", "0.26.0", UNDESCRIBED, kvCacheDtype="fp8_e5m2", tp=7, maxModelLen=10**6) == {}


def test_conditions_refuse_unknown_facts_and_operators() -> None:
    with pytest.raises(RuleError, match="no fact 'nosuch'"):
        holds({"nosuch": 1}, {"a": 1})
    with pytest.raises(RuleError, match="no operator 'like'"):
        holds({"a": {"like": 1}}, {"a": 1})
    with pytest.raises(RuleError, match="no fact 'b'"):
        holds({"a": {"gt": {"fact": "b"}}}, {"a": 1})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"a": 1}, True),
        ({"a": {"lt": 1}}, False),
        ({"a": {"gte": 1, "lte": 1}}, True),
        ({"none": {"lt": 1}}, False),
        ({"none": {"notIn": [1]}}, False),
        ({"none": {"set": False}}, True),
        ({"a": {"gt": {"fact": "none"}}}, False),
        ({"not": {"a": 2}}, True),
        ({"any": [{"a": 2}, {"b": {"prefix": "fp8"}}]}, True),
        ({"all": [{"a": 1}, {"b": {"prefix": "int"}}]}, False),
        ({}, True),
    ],
)
def test_conditions(condition: dict[str, Any], expected: bool) -> None:
    facts = {"a": 1, "b": "fp8_e5m2", "none": None}
    assert holds(condition, facts) is expected
    if expected:
        assert needed(condition) <= {name for name, value in facts.items() if value is not None}


@pytest.mark.parametrize(
    ("condition", "facts"),
    [
        ({"a": 1, "b": {"gt": 2}}, {"a", "b"}),
        ({"a": {"set": True}}, {"a"}),
        ({"a": {"set": False}}, set()),
        ({"not": {"a": 1}, "any": [{"b": 1}], "all": [{"c": 1}]}, set()),
    ],
)
def test_a_condition_needs_the_facts_that_it_compares(condition: dict[str, Any], facts: set[str]) -> None:
    assert needed(condition) == facts


def test_no_rule_that_holds_is_left_unasked() -> None:
    """Leaving out rules whose facts are unknown changes nothing: none of them holds with one of those facts unset."""
    for rule in rules():
        for fact in needed(rule.when):
            assert not holds({fact: rule.when[fact]}, defaultdict(lambda: 0, {fact: None})), (rule.id, fact)


def test_rules_follow_the_release() -> None:
    assert "vllm-calculate-kv-scales-removed" in errors("vllm", "0.28.0", calculateKvScales=True)
    assert "vllm-calculate-kv-scales-deprecated" in verdicts("vllm", "0.26.0", calculateKvScales=True)
