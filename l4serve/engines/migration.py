"""What a move between two releases changes of a command line: deprecated options, defaults relied on, metrics."""

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.engines.arguments.checking import read_options
from l4serve.engines.argv import Launch
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.contract_diff import diff_contracts
from l4serve.engines.releases.replacements import Removal


@frozen()
class DefaultChange:
    """A default that the workload relies on and that the other version sets differently."""

    flag: str
    before: object
    after: object


def deprecated_options(launch: Launch | None, contract: Contract) -> tuple[str, ...]:
    """Options in use that the release announces the end of."""
    options = read_options(launch.argv, contract) if launch else ()
    return tuple(f"{o.flag.name}: {o.flag.deprecated}" for o in options if o.flag and o.flag.deprecated)


def changed_defaults(launch: Launch | None, now: Contract, then: Contract) -> tuple[DefaultChange, ...]:
    """Defaults that an operator notices, that the command line leaves to the engine, and that the move changes."""
    used = {o.flag.name for o in read_options(launch.argv, now) if o.flag} if launch else set()
    noticed = frozenset(load_data(__file__, "relied_defaults.yaml")["flags"]) - used
    return tuple(
        DefaultChange(change.flag, change.before, change.after)
        for change in diff_contracts(now, then).flags_changed
        if change.what == "default" and change.flag in noticed
    )


def metrics_gone(now: Contract, then: Contract) -> tuple[Removal, ...]:
    """Metrics that the other release no longer shows."""
    return diff_contracts(now, then).metrics_removed
