"""What looks at a text takes time in proportion to its length, whatever the text repeats."""

import time
from collections.abc import Callable

import pytest

from l4serve.cli.output import safe_text
from l4serve.config.secrets_guard import guard, line_with_secret

PIECES = (
    "\\",
    '\\"',
    '"',
    "a=",
    "a:",
    "a ",
    "--a ",
    "a_",
    "bearer ",
    "-----BEGIN ",
    "//a:",
    "a:b@",
    '{"a":',
    "\n",
    "\n::",
)
LENGTH = 60_000


def guarded(text: str) -> object:
    return list(guard({"workloads": {"q": {"extraEnv": {"A": text}, "engine": {"chatTemplate": text}}}}))


LOOKS: dict[str, Callable[[str], object]] = {"guard": guarded, "line": line_with_secret, "print": safe_text}


@pytest.mark.parametrize("name", LOOKS)
def test_a_repeated_piece_takes_no_square_of_its_length(name: str) -> None:
    for piece in PIECES:
        began = time.process_time()
        LOOKS[name](piece * (LENGTH // len(piece)))
        assert time.process_time() - began < 2, piece
