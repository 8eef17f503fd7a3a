"""Reads a command line as the engine's own parser would, and says what that parser would refuse."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from l4serve.config.frozen import frozen
from l4serve.config.refusals.problems import Problem
from l4serve.config.words.spelling import did_you_mean
from l4serve.engines.arguments.config_values import config_faults, dotted_faults, level_fault
from l4serve.engines.arguments.value_texts import type_words, value_fault
from l4serve.engines.releases.contract import Contract, load_contract
from l4serve.engines.releases.flags import Flag
from l4serve.engines.releases.profile import engine_profile
from l4serve.engines.releases.replacements import has_replacement, removal
from l4serve.engines.releases.variables import variable_of

_LEVEL = re.compile(r"-O=?([^.=].*)", re.DOTALL)
_SPACED_LEVELS = ("0", "1", "2", "3")
"""Levels that may follow -O as a word of their own."""
_WITH_KEYS = ("json", "json_or_text", "json_or_pairs", "literal")
"""Types of options that take one key at a time, as --option.key=value."""
_OPTION = re.compile(r"--?[A-Za-z]")
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""Hyphens, and what a word processor makes of two of them."""
_ENV_ALIKE = 0.85
"""Share of equal letters from which a variable is a known one misspelt: their long prefix is always the same."""


@frozen()
class Option:
    """One option of a command line with the values given to it."""

    token: str
    """The token as written, without its value."""
    flag: Flag | None
    """The contract's flag; None when it has no such one."""
    values: tuple[str, ...]
    index: int
    """Where it stands in the command line."""
    spelling: str | None = None
    """The contract's option string that the token means, an abbreviation written out; None where there is no flag."""

    @property
    def says_no(self) -> bool:
        """Whether it is the form that turns the flag off."""
        return self.flag is not None and self.spelling not in self.flag.names

    @property
    def key(self) -> str | None:
        """The key of a JSON option that it sets by itself, as --option.key; None where it sets the whole."""
        return self.token.partition(".")[2].replace("-", "_") or None


def read_options(argv: tuple[str, ...], contract: Contract) -> Iterator[Option]:
    """Splits a command line into options and their values; a positional token comes with no flag."""
    index = 0
    while index < len(argv):
        start, token = index, argv[index]
        index += 1
        if token == "-O" and contract.level_option and index < len(argv) and argv[index] in _SPACED_LEVELS:
            token, index = f"-O{argv[index]}", index + 1
        written, equals, inline = _level(token, contract) or token.partition("=")
        spelling = _meant(written, contract) if _OPTION.match(token) else None
        flag = contract.flag(spelling) if spelling else None
        values = [inline] if equals else []
        if flag and flag.takes_value and not equals:
            while index < len(argv) and not _OPTION.match(argv[index]) and (flag.nargs == "+" or not values):
                values.append(argv[index])
                index += 1
        yield Option(written, flag, tuple(values), start, spelling)


def _level(token: str, contract: Contract) -> tuple[str, str, str] | None:
    """vLLM's short forms -O3 and -O{...}, as the option that the release makes of them, with its value."""
    found = _LEVEL.fullmatch(token) if contract.level_option else None
    return (contract.level_option, "=", found.group(1)) if found and contract.level_option else None


def normalised(token: str, contract: Contract) -> str:
    """The option string as the parser compares it: vLLM takes underscores for dashes and keys after a dot."""
    if not engine_profile(contract.engine).dotted_flags:
        return token
    if not token.startswith("--"):
        option, dot, _ = token.partition(".")
        # A release that takes keys after one short form takes them after each.
        return contract.dotted_short.get(option, option) if dot and contract.dotted_short else token
    return "--" + token.removeprefix("--").split(".")[0].replace("_", "-")


def _meant(token: str, contract: Contract) -> str | None:
    """The option string that a token is or, where the parser takes it so, abbreviates."""
    written = normalised(token, contract)
    spelling = written if contract.flag(written) else None
    if spelling is None:
        longer = contract.abbreviated(written)
        spelling = longer[0] if len(longer) == 1 else None
    flag = contract.flag(spelling) if spelling else None
    dotted = "." in token
    return None if dotted and flag and not (contract.dotted_keys and flag.type in _WITH_KEYS) else spelling


def check_argv(argv: tuple[str, ...], env: Mapping[str, str], contract: Contract) -> tuple[Problem, ...]:
    """What the release would refuse: unknown or removed options, wrong values, options given twice.

    A problem's path is the option or variable as written.
    """
    problems: list[Problem] = []
    seen: set[str] = set()
    for option in read_options(argv, contract):
        problems.extend(check_option(option, contract))
        if option.flag is None or option.flag.repeatable or "." in option.token:
            continue
        if option.flag.name in seen:
            problems.append(Problem(option.token, "the option is given twice; the engine takes the last", "remove one"))
        seen.add(option.flag.name)
    return (*problems, *check_env(env, contract))


def check_option(option: Option, contract: Contract) -> Iterator[Problem]:
    """What is wrong with one option."""
    if option.flag is None:
        yield _unknown(option.token, contract)
        return
    flag = option.flag
    if option.key:
        for unknown in dotted_faults(flag, option.key, option.values, contract):
            yield with_question(option.token, unknown, f"write a key and a value that {contract.name} takes")
        if fault := level_fault(flag, option.key, next(iter(option.values), None)):
            yield Problem(option.token, fault, f"{contract.name} takes the levels 0 to 3")
        return
    if not flag.takes_value:
        if option.values:
            yield Problem(option.token, "the option takes no value", _switch_remedy(flag))
        return
    if not option.values and flag.nargs != "?":
        yield Problem(option.token, "the option needs a value", f"write {flag.name}=VALUE")
    for value in option.values:
        yield from _value_problems(option.token, flag, value, contract)


def _value_problems(path: str, flag: Flag, value: str, contract: Contract) -> Iterator[Problem]:
    if fault := value_fault(flag, value) or next(config_faults(flag, value, contract), None):
        near = did_you_mean(value, flag.choices or ())
        yield with_question(path, fault, near or f"give {_domain(flag)}")


def with_question(path: str, fault: str, remedy: str) -> Problem:
    """The problem of a fault, whose question at its end is the remedy in place of a general one."""
    wrong, mark, near = fault.rpartition("; did you mean ")
    return Problem(path, wrong, f"did you mean {near}") if mark else Problem(path, fault, remedy)


def _switch_remedy(flag: Flag) -> str:
    return f"write {flag.name} or {flag.negation}" if flag.negation else f"write {flag.name}, or leave it out"


def _domain(flag: Flag) -> str:
    return "one of " + ", ".join(flag.choices) if flag.choices else type_words(flag.type)


def _unknown(token: str, contract: Contract) -> Problem:
    if not _OPTION.match(token):
        said = "this word stands alone: it is neither an option, which begins with --, nor the value of one"
        bare = normalised(f"--{token.lstrip(_DASHES)}".partition("=")[0], contract)
        return Problem(token, said, f"did you mean {bare}?" if contract.flag(bare) else "write options as --flag=value")
    name, blank, value = token.partition(" ")
    if blank:
        said = f"{contract.name} has no option with a blank in its name: {token}"
        return Problem(token, said, f"write the value behind an equals sign: {name}={value.strip()}")
    written = normalised(token, contract)
    if longer := contract.abbreviated(written):
        several = f"it may mean {', '.join(longer[:4])}"
        return Problem(token, f"{contract.name} has no {token}: {several}", "write the option out")
    known = removal(contract, written)
    if known:
        return Problem(token, f"{contract.name} has no {token}", known.advice)
    return Problem(token, f"{contract.name} has no {token}", did_you_mean(token, contract.flags) or "remove it")


def check_env(env: Mapping[str, str | None], contract: Contract) -> Iterator[Problem]:
    """Variables that something else replaces in the release, that are near misses of one it reads, or with a value that
    it cannot read when it starts."""
    for name, value in env.items():
        if name not in contract.env:
            if problem := unread(contract.engine, contract.version, name):
                yield problem
        elif value is not None and (variable := variable_of(name, contract)) and not variable.lazy:
            yield from _value_problems(name, variable.takes, value, contract)


@lru_cache(maxsize=2**13)
def unread(kind: str, version: str, name: str) -> Problem | None:
    """What is wrong with a variable that a release does not read; a search asks the same of each of its pods.

    None where a start goes on as without it: the engine's own variables of other releases, which nothing replaces.
    """
    contract = load_contract(kind, version)
    known = removal(contract, name)
    if known and is_of_engine(name, kind) and not has_replacement(kind, name):
        return None
    remedy = known.advice if known else _meant_variable(name, contract)
    return None if remedy is None else Problem(name, f"{contract.name} does not read {name}", remedy)


def is_of_engine(name: str, kind: str) -> bool:
    """Whether a variable's name begins as the engine's own do."""
    prefix = engine_profile(kind).env_prefix
    return bool(prefix and name.startswith(prefix))


def _meant_variable(name: str, contract: Contract) -> str | None:
    """The question for the variable that a near miss with the engine's prefix may mean; None for any other name."""
    if not is_of_engine(name, contract.engine):
        return None
    return did_you_mean(name, contract.env, alike=_ENV_ALIKE) or None
