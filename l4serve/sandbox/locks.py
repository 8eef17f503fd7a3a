"""Locks between commands that run at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from l4serve.sandbox.progress import Progress


@contextmanager
def held_lock(path: Path, waiting_for: str, progress: Progress) -> Iterator[None]:
    """Hold the lock at `path`; says what is waited for where another command holds it."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(f"waiting for {waiting_for}", 0, None)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
