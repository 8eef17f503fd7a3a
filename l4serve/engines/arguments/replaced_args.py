"""Extra arguments that a typed field takes the place of."""

from collections.abc import Iterable

from l4serve.engines.arguments.checking import read_options
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.field_flags import flag_names


def without_fields(extra_args: tuple[str, ...], fields: Iterable[str], contract: Contract) -> tuple[str, ...]:
    """The extra arguments less those of the flags that these fields (in snake case) become."""
    flags = {name for field in fields for name in flag_names(contract.engine, field)}
    options = [*read_options(extra_args, contract)]
    ends = [*(option.index for option in options[1:]), len(extra_args)]
    kept: list[str] = []
    for option, end in zip(options, ends, strict=True):
        if option.flag is None or not flags.intersection(option.flag.names):
            kept.extend(extra_args[option.index : end])
    return tuple(kept)
