"""Writes a page to the file that a user named: whole, or not at all."""

from pathlib import Path

from l4serve.cli.shell.messages import refuse_input
from l4serve.cli.shell.output import one_line
from l4serve.cli.shell.whole_file import replace_file
from l4serve.config.reading.files import FileRefusedError


def write_page(path: Path, page: str, option: str = "--html") -> None:
    """Puts a page in place of the file that an option names; exits 2 where it cannot be written, and leaves an older
    file as it was."""
    try:
        replace_file(path, page.encode("utf-8"))
    except OSError as error:
        raise refuse_input(f"{option} {one_line(path)}: {error.strerror or error}; name another file") from None
    except FileRefusedError as error:
        raise refuse_input(f"{option} {one_line(path)}: {error}; name another file") from None
