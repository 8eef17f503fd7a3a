"""Puts a file in place: whole, or not at all, and nowhere else."""

import os
import tempfile
from pathlib import Path

from l4serve.config.reading.files import FileRefusedError, odd_kind

_MODE_OF_NEW = 0o644


def replace_file(path: Path, content: bytes) -> None:
    """Puts content in place of a file, which keeps its mode; a link is replaced by a file, and not followed.

    Raises OSError where that cannot be, and FileRefusedError where a device, a pipe or a socket stands there, which a
    file must not take the place of. Nothing is left beside the file, and an older one stays as it was.
    """
    if odd := odd_kind(path):
        raise FileRefusedError(f"it is {odd}, not a regular file")
    if path.is_dir():
        raise FileRefusedError("it is a folder")
    mode = path.stat().st_mode & 0o777 if path.is_file() else _MODE_OF_NEW
    # Nobody can have laid a link to elsewhere in the way of a name that is made up now.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".l4serve-", suffix=path.suffix)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
