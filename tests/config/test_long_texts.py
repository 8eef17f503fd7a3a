"""What looks at a text takes time in proportion to its length, whatever the text repeats."""

import time
from collections.abc import Callable, Iterator

import pytest

from l4serve.cli.shell.output import safe_text
from l4serve.config.secrecy import secret_names, secret_shapes
from l4serve.config.secrecy.secret_shapes import has_secret_shape
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
    "@",
    "@a ",
    "//a:" * 90 + "?@",
    "hello world ",
    "0123456789abcdef",
    '{"a":',
    "\n",
    "\n::",
    "net use ",
    "openssl -pass",
    "echo a|",
    "kubectl create secret generic a=b ",
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


def test_what_begins_like_a_secret_takes_hardly_longer_than_words() -> None:
    """Processor time of the least of three looks, so that what else runs does not count."""

    def least(piece: str) -> float:
        return min(_taken(piece * (LENGTH // len(piece)) + end) for end in ("1", "22", "333"))

    words = least("hello world ")
    for piece in ("@", "@a ", "a:", "a: b=", "//a ", "x@y "):
        assert least(piece) < 4 * words + 0.02, piece


def _taken(text: str) -> float:
    began = time.process_time()
    safe_text(text)
    guarded(text)
    return time.process_time() - began


def test_of_a_long_text_no_more_is_redacted_than_a_cut_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def look(text: str) -> str:
        looked.append(len(text))
        return text

    monkeypatch.setattr(secret_shapes, "redact", look)
    assert len(secret_shapes.excerpt("a " * 30_000, 2000)) == 2000
    assert max(looked) < 10_000


WHOLE_FILES = ("//a:", "//a: ", '"a":', "hello world ", "0123456789abcdef")


def test_a_file_of_texts_as_long_as_it_may_be_takes_no_two_seconds() -> None:
    for piece in WHOLE_FILES:
        texts = {f"V{number}": (f"v{number}" + piece * 64_000)[:64_000] for number in range(14)}
        began = time.process_time()
        problems = list(guard({"workloads": {"q": {"extraEnv": texts}}}))
        assert time.process_time() - began < 1, piece
        assert "128 KiB together" in str(problems[-1])


def test_a_text_that_stands_on_both_sides_is_scanned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scanned: list[str] = []
    text = "a text of this test alone, with nothing in it"

    def scan(text: str) -> Iterator[tuple[str, str]]:
        scanned.append(text)
        return iter(())

    monkeypatch.setattr(secret_shapes, "random_runs", scan)
    monkeypatch.setattr(secret_names, "named_texts", scan)
    for _ in range(2):
        assert not list(guard({"workloads": {"q": {"extraEnv": {"A": text, "B": text}}}}))
    assert scanned.count(text) == 2


def test_a_comment_as_long_as_a_file_takes_no_second() -> None:
    began = time.process_time()
    assert line_with_secret("# " + "//a:" * 250_000) is None
    assert time.process_time() - began < 1


def test_a_password_is_found_wherever_its_address_stands() -> None:
    for before in ("", "x" * 1000, "//a:" * 300, "a@b ", "' "):
        assert has_secret_shape(f"{before}https://bob:hunter2secret@host")
        assert "hunter2" not in safe_text(f"{before}https://bob:hunter2secret@host/ and mail@host")
    assert not has_secret_shape("image@sha256:0123 a@b")
