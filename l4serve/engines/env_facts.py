"""Variables of a workload as a start reads them: what it may fail on, and what no release knows."""

from collections.abc import Iterator, Mapping

from l4serve.engines.arguments.checking import is_of_engine, unread
from l4serve.engines.arguments.value_texts import type_words, value_fault
from l4serve.engines.case import Case
from l4serve.engines.releases.replacements import removal
from l4serve.engines.releases.variables import is_replaced, variable_of


def read_env(case: Case) -> Mapping[str, str]:
    """Extra variables without those in whose place a start reads another variable, or a flag."""
    given = {*case.extra_env, *case.env, *(f"{name}={value}" for name, value in case.extra_env.items())}
    given |= {word.partition("=")[0].partition(".")[0] for word in case.extra_args}
    return {name: value for name, value in case.extra_env.items() if not is_replaced(name, given)}


def env_facts(case: Case) -> Mapping[str, str | None]:
    """The first value that a start may come to read and cannot, and the names that the release does not know."""
    return {
        "env.unreadable": next(_unreadable(case), None),
        "env.unknown": ", ".join(_unknown(case)) or None,
    }


def _unreadable(case: Case) -> Iterator[str]:
    for name, value in read_env(case).items() if case.extra_env else ():
        variable = variable_of(name, case.contract) if name in case.contract.env else None
        if variable and variable.lazy and (fault := value_fault(variable.takes, value)):
            takes = ", ".join(variable.takes.choices or ()) or type_words(variable.takes.type)
            yield f"{name}, where {fault} (it takes {takes})"


def _unknown(case: Case) -> Iterator[str]:
    """Names with the engine's prefix that are not refused as misspelt or replaced, with why the release lacks them."""
    contract = case.contract
    for name in (*case.extra_env, *case.env):
        known = name in contract.env or unread(contract.engine, contract.version, name)
        if known or not is_of_engine(name, contract.engine):
            continue
        lacking = removal(contract, name)
        yield f"{name} ({lacking.reason})" if lacking else name
