"""Reads files that a stack names: regular ones only, of bounded size, inside the folder that they belong to."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_JSON_BYTES = 2**20
"""Of a model's config.json; the largest published ones, which list every unquantised layer, take half of it."""
MOST_JSON_NESTING = 60
MOST_NUMBER_DIGITS = 300
"""A number of as many digits is still one of those that a float has."""


_ODD_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class FileRefusedError(ValueError):
    """A file that is not read; the message says why, and names neither the file nor its content."""


def read_bytes(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes; never waits for a pipe. Raises FileRefusedError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        odd = odd_kind(path)  # A socket cannot be opened.
        raise FileRefusedError(f"cannot be read: {_no_file(odd) if odd else error.strerror}") from None
    except ValueError:
        raise FileRefusedError("cannot be read: its name holds a null character") from None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise FileRefusedError(f"cannot be read: {_no_file(_odd(mode))}")
    with os.fdopen(handle, "rb") as file:
        try:
            content = file.read(limit + 1)
        except OSError as error:
            raise FileRefusedError(f"cannot be read: {error.strerror}") from None
    if content is None:
        # A pseudo-file that is called regular and has nothing to read yet, such as /proc/kmsg.
        raise FileRefusedError(f"cannot be read: {_no_file(None)}")
    if len(content) > limit:
        raise FileRefusedError(f"is larger than {limit // 1024} KiB")
    return content


def odd_kind(path: Path) -> str | None:
    """What stands at a path that is neither a regular file nor a folder, links followed; None for those and nothing."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    return _odd(mode)


def _odd(mode: int) -> str | None:
    return next((words for is_one, words in _ODD_KINDS if is_one(mode)), None)


def _no_file(odd: str | None) -> str:
    return f"it is {odd}, not a regular file" if odd else "it is not a regular file"


def exists_as_file(path: Path) -> bool:
    """Whether there is such a file; a name that the system cannot have is one of none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def exists_as_folder(path: Path) -> bool:
    """Whether there is such a folder; a name that the system cannot have is one of none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def inside(folder: Path, name: str) -> Path:
    """The path of a file that a stack names, relative to the folder of its stack file; links are followed.

    Raises FileRefusedError for a path that leaves the folder.
    """
    try:
        home, path = folder.resolve(), (folder / name).resolve()
    except (OSError, RuntimeError, ValueError):
        raise FileRefusedError("cannot be followed") from None
    if not path.is_relative_to(home):
        raise FileRefusedError("lies outside the stack file's folder")
    return path


def no_constant(name: str) -> Any:
    """Refuses NaN and infinity in a file."""
    raise FileRefusedError(f"holds {name}, which is not a JSON number")


def read_json(content: bytes, *, constant: Callable[[str], Any] = no_constant) -> Any:
    """The JSON value of a file's content. Raises FileRefusedError, also for NaN, infinity and what is nested deeply.

    `constant` reads NaN and infinity: `float` for a model's config.json, into which transformers writes them.
    """
    try:
        text = content.decode("utf-8-sig")
        value = json.loads(text, parse_constant=constant, parse_int=_bounded_int, parse_float=_bounded_float)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, FileRefusedError) else "is not JSON"
        raise FileRefusedError(reason) from None
    if _depth_exceeds(value, MOST_JSON_NESTING):
        raise FileRefusedError(f"is nested deeper than {MOST_JSON_NESTING}")
    return value


def _bounded_int(text: str) -> int:
    if len(text) > MOST_NUMBER_DIGITS:
        raise FileRefusedError(f"holds a number of more than {MOST_NUMBER_DIGITS} digits")
    return int(text)


def _bounded_float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise FileRefusedError("holds a number too large to be one")
    return value


def _depth_exceeds(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return False
    return True


def _inner(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict | list)]
