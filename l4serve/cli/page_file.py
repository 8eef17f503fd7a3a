"""Writes a page to the file that a user named: whole, or not at all."""

import os
import tempfile
from pathlib import Path

from l4serve.cli.messages import refuse_input
from l4serve.cli.output import one_line


def write_page(path: Path, page: str, option: str = "--html") -> None:
    """Puts a page in place of the file that an option names; exits 2 where it cannot be written, and leaves an older
    file as it was."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".l4serve-", suffix=path.suffix)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, 0o644)
            file.write(page)
        Path(name).replace(path)
    except OSError as error:
        raise refuse_input(f"{option} {one_line(path)}: {error.strerror or error}; name another file") from None
