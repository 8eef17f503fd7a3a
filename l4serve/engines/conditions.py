"""The language of rules: conditions over a flat mapping of facts.

A condition is a mapping of fact names to tests, all of which must hold, and may contain `all`, `any` (lists of
conditions) and `not` (one condition). A test is a value to equal or a mapping of operators: eq, in, notIn, lt, lte, gt,
gte, prefix, set. The value of an operator may be `{fact: name}`, another fact. A fact that is unknown (None) satisfies
only `set: false`, so what nobody described is never refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

Facts = Mapping[str, Any]

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda fact, value: fact == value,
    "in": lambda fact, value: fact in value,
    "notIn": lambda fact, value: fact not in value,
    "lt": lambda fact, value: fact < value,
    "lte": lambda fact, value: fact <= value,
    "gt": lambda fact, value: fact > value,
    "gte": lambda fact, value: fact >= value,
    "prefix": lambda fact, value: str(fact).startswith(value),
}


class RuleError(ValueError):
    """A rule that names an operator or a fact that does not exist."""


def holds(condition: Mapping[str, Any], facts: Facts) -> bool:
    """Whether a condition holds for the facts; raises RuleError for a fact or operator that does not exist."""
    return all(_clause(name, test, facts) for name, test in condition.items())


def _clause(name: str, test: Any, facts: Facts) -> bool:
    match name:
        case "all":
            return all(holds(inner, facts) for inner in test)
        case "any":
            return any(holds(inner, facts) for inner in test)
        case "not":
            return not holds(test, facts)
    if name not in facts:
        raise RuleError(f"there is no fact {name!r}")
    tests = test if isinstance(test, Mapping) else {"eq": test}
    return all(_test(facts[name], operator, value, facts) for operator, value in tests.items())


def _test(fact: Any, operator: str, value: Any, facts: Facts) -> bool:
    if operator == "set":
        return (fact is not None) is value
    if operator not in _OPERATORS:
        raise RuleError(f"there is no operator {operator!r}")
    if isinstance(value, Mapping):
        if value["fact"] not in facts:
            raise RuleError(f"there is no fact {value['fact']!r}")
        value = facts[value["fact"]]
    if fact is None or value is None:
        return False
    return _OPERATORS[operator](fact, value)
