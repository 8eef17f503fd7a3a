"""What changed between two contracts of one engine."""

from collections.abc import Collection, Iterable
from functools import lru_cache

from l4serve.config.frozen import frozen
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.flags import Flag
from l4serve.engines.releases.replacements import Removal, removal

_COMPARED = ("names", "type", "choices", "values", "default", "negation", "nargs", "repeatable", "deprecated")


@frozen()
class Change:
    """One property of a flag, before and after."""

    flag: str
    what: str
    before: object
    after: object


@frozen()
class ContractDiff:
    """Names that came and went, and flags that changed."""

    before: str
    after: str
    flags_removed: tuple[Removal, ...]
    flags_added: tuple[str, ...]
    flags_changed: tuple[Change, ...]
    env_removed: tuple[Removal, ...]
    env_added: tuple[str, ...]
    metrics_removed: tuple[Removal, ...]
    """Metrics shown by default before and not after."""
    metrics_added: tuple[str, ...]
    paths_removed: tuple[str, ...]
    paths_added: tuple[str, ...]
    architectures_removed: tuple[str, ...]
    architectures_added: tuple[str, ...]


@lru_cache(maxsize=64)
def diff_contracts(before: Contract, after: Contract) -> ContractDiff:
    """What a move from one contract to another changes."""
    shared = sorted(before.flags.keys() & after.flags.keys())
    return ContractDiff(
        before=before.name,
        after=after.name,
        flags_removed=_removals(
            (name for name in before.flags if after.flag(name) is None and not _still_there(before.flags[name], after)),
            after,
        ),
        flags_added=tuple(sorted(name for name in after.flags if before.flag(name) is None)),
        flags_changed=tuple(c for name in shared for c in _changes(before.flags[name], after.flags[name])),
        env_removed=_removals(_less(before.env, after.env), after),
        env_added=_less(after.env, before.env),
        metrics_removed=_removals(_less(before.always_metrics, after.always_metrics), after),
        metrics_added=_less(after.always_metrics, before.always_metrics),
        paths_removed=_less(before.paths, after.paths),
        paths_added=_less(after.paths, before.paths),
        architectures_removed=_less(before.architectures, after.architectures),
        architectures_added=_less(after.architectures, before.architectures),
    )


def _still_there(flag: Flag, after: Contract) -> bool:
    return any(after.flag(name) for name in flag.names)


def _less(names: Collection[str], others: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names) - set(others)))


def _removals(names: Iterable[str], after: Contract) -> tuple[Removal, ...]:
    return tuple(removal(after, name) or Removal(name, "remove it", None) for name in sorted(names))


def _changes(before: Flag, after: Flag) -> list[Change]:
    return [
        Change(before.name, what, getattr(before, what), getattr(after, what))
        for what in _COMPARED
        if getattr(before, what) != getattr(after, what)
    ]
