"""Locks between commands that run at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.progress import Progress


@contextmanager
def held_lock(path: Path, waiting_for: str, progress: Progress) -> Iterator[None]:
    """Hold the lock at `path`; says what is waited for where another command holds it.

    Raises SandboxError where no lock can be there: a folder or a link lies in its place, or it is another user's.
    """
    lock = FileLock(path)
    try:
        _acquire(lock, waiting_for, progress)
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SandboxError(f"The lock {path} cannot be taken: {reason}.", remedy="remove it, and try again") from None
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, waiting_for: str, progress: Progress) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(f"waiting for {waiting_for}", 0, None)
        lock.acquire()
