"""One test over many small cases, where a test of its own for each would cost more than the case."""

from collections.abc import Callable, Iterable
from typing import Any


def each(cases: Iterable[Any], name: Callable[[Any], str]) -> Callable[[Callable[[Any], None]], Callable[[], None]]:
    """Makes a check of one case a test of all: every case is checked, and those that fail are told by name."""

    def of_all(check: Callable[[Any], None]) -> Callable[[], None]:
        def test() -> None:
            listed = tuple(cases)
            assert listed, "a test of no case tells nothing"
            failed = {name(case): fault for case in listed if (fault := _fault(check, case))}
            assert not failed, "\n".join(f"{case}: {fault}" for case, fault in failed.items())

        test.__doc__ = check.__doc__
        return test

    return of_all


def _fault(check: Callable[[Any], None], case: Any) -> str:
    try:
        check(case)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return f"{type(error).__name__}: {error}"
    return ""
