"""Whether notes and progress are wanted, as `l4serve -q` says for the whole run."""

from contextvars import ContextVar

_quiet = ContextVar("quiet", default=False)


def set_quiet(quiet: bool) -> None:
    """Says for the rest of the run whether notes and progress are left out."""
    _quiet.set(quiet)


def is_quiet() -> bool:
    """Whether notes and progress are left out."""
    return _quiet.get()
