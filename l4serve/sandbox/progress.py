"""How the sandbox's slow steps tell how far they are, without knowing a terminal."""

from typing import Protocol


class Progress(Protocol):
    """Hears what is going on."""

    def __call__(self, task: str, done: int, total: int | None, /) -> None:
        """`done` of `total` parts of `task` are over; `total` is None where the task has no parts."""


def silent(_task: str, _done: int, _total: int | None, /) -> None:
    """The Progress that says nothing."""
