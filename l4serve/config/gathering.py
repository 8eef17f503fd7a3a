"""Independent steps whose refusals come together: a step either gives its value or raises ConfigError."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, overload

from l4serve.config.refusals.problems import MOST_PROBLEMS, ConfigError, Problem

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
Step = Callable[[], T]


def once(step: Step[T]) -> Step[T]:
    """The step, run at its first call; later calls give the same value or raise the same refusal.

    So a step may call those that it depends on: what they refuse is told once, and hides nothing else.
    """
    outcome: list[tuple[T | None, ConfigError | None]] = []

    def run() -> T:
        if not outcome:
            try:
                outcome.append((step(), None))
            except ConfigError as error:
                outcome.append((None, error))
        value, refusal = outcome[0]
        if refusal is not None:
            raise refusal
        return value  # type: ignore[return-value]

    return run


@overload
def gather(a: Step[A], b: Step[B], /) -> tuple[A, B]: ...
@overload
def gather(a: Step[A], b: Step[B], c: Step[C], /) -> tuple[A, B, C]: ...
@overload
def gather(a: Step[A], b: Step[B], c: Step[C], d: Step[D], /) -> tuple[A, B, C, D]: ...
@overload
def gather(a: Step[A], b: Step[B], c: Step[C], d: Step[D], e: Step[E], /) -> tuple[A, B, C, D, E]: ...
@overload
def gather(a: Step[A], b: Step[B], c: Step[C], d: Step[D], e: Step[E], f: Step[F], /) -> tuple[A, B, C, D, E, F]: ...
def gather(*steps: Step[Any]) -> tuple[Any, ...]:
    """The values of all steps; raises ConfigError with every problem of every step that refuses.

    Where there are more problems than a ConfigError tells, the steps that are left do not run.
    """
    return gather_all(steps)


def gather_all(steps: Iterable[Step[T]]) -> tuple[T, ...]:
    """As `gather`, for any number of steps of one kind."""
    values: list[T] = []
    problems: list[Problem] = []
    for step in steps:
        try:
            values.append(step())
        except ConfigError as error:
            problems += error.problems
            if len(problems) > MOST_PROBLEMS:
                break
    if problems:
        raise ConfigError(problems)
    return tuple(values)


def refuse_all(problems: Iterable[Problem]) -> None:
    """Raises ConfigError with the problems, if there are any."""
    if found := tuple(problems):
        raise ConfigError(found)


def first_of_each_path(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The first problem of each path: what later steps say of it follows from the same mistake."""
    seen: set[str] = set()
    for problem in problems:
        if problem.path not in seen:
            seen.add(problem.path)
            yield problem
