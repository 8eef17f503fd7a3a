"""The rules as CrossGuard policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policy.all_rules import RESOURCE_RULES
from policy.model import Resource, ResourceRule, Settings, StackRule
from policy.stack_rules import STACK_RULES

NAME = "l4serve"
_COST_SCHEMA = PolicyConfigSchema(
    properties={
        "maxUsdPerHour": {"type": "number", "exclusiveMinimum": 0},
        "prices": {"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0}},
    }
)


def policies() -> list[Policy]:
    """Every rule as a mandatory policy."""
    return [*(_resource_policy(rule) for rule in RESOURCE_RULES), *(_stack_policy(rule) for rule in STACK_RULES)]


def _resource_policy(rule: ResourceRule) -> Policy:
    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        resource = Resource(
            args.resource_type, args.name, args.props, bool(args.opts and args.opts.protect), _stack(args.urn)
        )
        for message in rule.violations(resource):
            report_violation(message, None)

    return ResourceValidationPolicy(rule.name, rule.description, validate, EnforcementLevel.MANDATORY)


def _stack_policy(rule: StackRule) -> Policy:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        for message in rule.check([_resource(r) for r in args.resources], _settings(args.get_config())):
            report_violation(message, None)

    schema = _COST_SCHEMA if rule.name == "cost-ceiling" else None
    return StackValidationPolicy(rule.name, rule.description, validate, EnforcementLevel.MANDATORY, schema)


def _resource(resource: PolicyResource) -> Resource:
    protect = bool(resource.opts and resource.opts.protect)
    return Resource(resource.resource_type, resource.name, resource.props, protect, _stack(resource.urn))


def _settings(config: Mapping[str, Any]) -> Settings:
    return Settings(max_usd_per_hour=config.get("maxUsdPerHour"), prices=config.get("prices"))


def _stack(urn: str) -> str:
    """The stack of a URN, such as urn:pulumi:prod::gke-llm-serving::..."""
    return urn.removeprefix("urn:pulumi:").split("::")[0]
