"""The language of rules: conditions over a flat mapping of facts.

A condition is a mapping of fact names to tests, all of which must hold, and may contain `all`, `any` (lists of
conditions) and `not` (one condition). A test is a value to equal or a mapping of operators: eq, ne, in, notIn, lt, lte,
gt, gte, prefix, set. The value of an operator may be `{fact: name}`, another fact. A fact that is unknown (None)
satisfies only `set: false`, so what nobody described is never refused.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]
_WORDS = ("all", "any", "not")
_PLACEHOLDER = re.compile(r"\{([\w.]+)\}")
"""A dot in a fact's name is part of the name."""

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "in": lambda fact, value: fact in value,
    "notIn": lambda fact, value: fact not in value,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "prefix": lambda fact, value: str(fact).startswith(value),
}


class RuleError(ValueError):
    """A rule that names an operator or a fact that does not exist."""


Check = Callable[[Facts], bool]


def holds(condition: Mapping[str, Any], facts: Facts) -> bool:
    """Whether a condition holds for the facts; raises RuleError for a fact or operator that does not exist."""
    return compiled(condition)(facts)


def compiled(condition: Mapping[str, Any]) -> Check:
    """The condition as a function of the facts, for a rule that is asked again and again."""
    return _every(tuple(_clause(name, test) for name, test in condition.items()))


# Loops, not all() and any() over a generator: twice as fast, and a large stack asks them by the ten thousand.
def _every(checks: Sequence[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(facts: Facts) -> bool:
        for one in checks:  # noqa: SIM110
            if not one(facts):
                return False
        return True

    return check


def _some(checks: Sequence[Check]) -> Check:
    def check(facts: Facts) -> bool:
        for one in checks:  # noqa: SIM110
            if one(facts):
                return True
        return False

    return check


def needed(condition: Mapping[str, Any]) -> frozenset[str]:
    """Facts that must be known for a condition to hold; a large stack asks most rules about facts that are not."""
    return frozenset(name for name, test in condition.items() if name not in _WORDS and _wants_known(test))


def _wants_known(test: Any) -> bool:
    return not isinstance(test, Mapping) or any(word != "set" or value is True for word, value in test.items())


def fill(text: str, facts: Facts) -> str:
    """The text with each `{fact}` replaced; raises RuleError for a fact that does not exist."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in facts:
            raise RuleError(f"there is no fact {match[1]!r}")
        fact = facts[match[1]]
        return f"{fact:g}" if isinstance(fact, float) else str(fact)

    return _PLACEHOLDER.sub(value, text)


def _clause(name: str, test: Any) -> Check:
    match name:
        case "all":
            return _every(tuple(map(compiled, test)))
        case "any":
            return _some(tuple(map(compiled, test)))
        case "not":
            inside = compiled(test)
            return lambda facts: not inside(facts)
    tests = test if isinstance(test, Mapping) else {"eq": test}
    return _every(tuple(_test(name, comparison, value) for comparison, value in tests.items()))


def _test(name: str, comparison: str, value: Any) -> Check:
    if comparison == "set":
        return lambda facts: (_fact(name, facts) is not None) is value
    if comparison not in _OPERATORS:
        raise RuleError(f"there is no operator {comparison!r}")
    compare = _OPERATORS[comparison]
    if isinstance(value, Mapping):
        other = str(value["fact"])
        return lambda facts: _known(compare, _fact(name, facts), _fact(other, facts))

    def check(facts: Facts) -> bool:
        # Most facts that rules ask for are unset: this is what a large stack asks most often.
        try:
            fact = facts[name]
        except KeyError:
            raise RuleError(f"there is no fact {name!r}") from None
        return _known(compare, fact, value)

    return check


def _known(compare: Callable[[Any, Any], bool], fact: Any, value: Any) -> bool:
    try:
        return fact is not None and value is not None and compare(fact, value)
    except TypeError:
        # A text where a number belongs is what the engine's parser refuses, and no rule speaks of it.
        return False


def _fact(name: str, facts: Facts) -> Any:
    try:
        return facts[name]
    except KeyError:
        raise RuleError(f"there is no fact {name!r}") from None
