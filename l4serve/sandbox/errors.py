"""What can go wrong with the sandbox, in words for the person at the terminal."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""Failures of a disk, which the system reports without the name of a file."""


class SandboxError(RuntimeError):
    """A failure of the sandbox itself, never of the stack that is tried in it."""

    def __init__(self, message: str, remedy: str = "", detail: str = "") -> None:
        """`message` says what failed, `remedy` what to do, `detail` is the end of a log."""
        self.message = message
        self.remedy = remedy
        self.detail = detail
        super().__init__("\n".join(part for part in (message, detail, remedy and f"fix: {remedy}") if part))


@contextmanager
def readable_file_errors(root: Path, variable: str) -> Iterator[None]:
    """Raises SandboxError for a file of the folder `root`, or a folder above it, that is none or not ours to use.

    `variable` is the one that names another folder. An error of any other file is passed on.
    """
    try:
        yield
    except OSError as error:
        path = Path(str(error.filename or root))
        if error.errno not in _NO_ROOM and not path.is_relative_to(root) and not root.is_relative_to(path):
            raise
        what = f"{path} cannot be used: {error.strerror or error}."
        raise SandboxError(what, remedy=f"remove it, or set {variable} to another folder") from None
