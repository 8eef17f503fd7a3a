"""Rules whose case nobody measured are rules of the contracts."""

from l4serve.engines.rules import rules
from l4serve.planning.performance.unmeasured import unmeasured, unmeasured_rules
from l4serve.planning.performance.unproven import telling_rules


def test_every_rule_that_was_not_measured_exists_and_only_warns() -> None:
    severities = {rule.id: rule.verdict for rule in rules()}
    assert {severities[rule] for rule in (*unmeasured_rules(), *telling_rules())} == {"warning"}
    assert not telling_rules() & set(unmeasured_rules())


def test_what_was_measured_is_judged() -> None:
    assert unmeasured(["vllm-eager"]) is None
    assert unmeasured(["vllm-eager", "vllm-awq-slow-kernel"]) == unmeasured_rules()["vllm-awq-slow-kernel"]
