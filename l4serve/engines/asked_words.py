"""The words by which a config says what a model is served for, each from its typed field or from an extra argument."""

from collections.abc import Mapping

from l4serve.config.workload import Engine
from l4serve.engines.checking import read_options
from l4serve.engines.contract import Contract

_FIELDS = ("runner", "convert", "task")


def asked_words(engine: Engine, extra_args: tuple[str, ...], contract: Contract) -> Mapping[str, str | None]:
    """The words of runner, convert and task; None where the config says nothing."""
    named: dict[str, str | None] = {field: getattr(engine, field, None) for field in _FIELDS}
    for option in read_options(extra_args, contract) if extra_args else ():
        field = option.flag.name.removeprefix("--") if option.flag else ""
        if field in named and option.values:
            named[field] = option.values[0]
    return named
