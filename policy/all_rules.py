"""All rules of the pack."""

from policy.cluster_rules import CLUSTER_RULES
from policy.hardening_rules import HARDENING_RULES
from policy.stack_rules import STACK_RULES
from policy.workload_rules import WORKLOAD_RULES

RESOURCE_RULES = (*CLUSTER_RULES, *HARDENING_RULES, *WORKLOAD_RULES)
ALL_NAMES = tuple(rule.name for rule in (*RESOURCE_RULES, *STACK_RULES))
