"""Hostile words and files under the commands that read no stack, or more than one file; further shapes of secrets."""

import os
import random
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks.hostility.inputs import GOOD, Case, stack_case

_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_ALPHABETS = {"": _LETTERS, "d": "0123456789", "h": "0123456789abcdef", "u": f"{_LETTERS}-_"}
_PLANTED = (("plan",), ("plan", "--json"), ("check", "--json"), ("advise",), ("bench",), ("verify",))


def other_commands(rng: random.Random, per_kind: int) -> Iterator[Case]:
    """Commands with words, each odd file under each command that reads one, each secret in two places."""
    made: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    words = [(command, word) for command in made["commands"] for word in (*made["words"], "a" * 5000)]
    for command, word in rng.sample(words, min(per_kind, len(words))):
        yield Case("words in arguments", tuple(part.replace("?", word) for part in command.split()), _nothing)
    for make in _FILES:
        for command in made["readers"]:
            yield Case("files of other commands", tuple(command.split()), lambda f, make=make: make(f / "x.yaml"))
    for number, form in enumerate(made["secrets"]):
        for place in (made["places"][(2 * number + step) % len(made["places"])] for step in range(2)):
            secret = re.sub(r"\{(\d+)(\w?)\}", lambda found: _run(rng, found), form)
            yield stack_case("secrets of further shapes", _planted(place, secret), rng.choice(_PLANTED), secret)


def _run(rng: random.Random, found: re.Match[str]) -> str:
    return "".join(rng.choices(_ALPHABETS[found[2]], k=int(found[1])))


def _planted(place: str, secret: str) -> Any:
    """The good stack with a secret at a place; 0 is the first entry of a list."""
    whole = place if place.startswith("/") else f"/workloads/qwen/{place}"
    return put(dict(GOOD), whole.split("/")[1:], secret)


def put(node: Any, way: list[str], value: Any) -> Any:
    """A copy of an object with a value at a path, whose parents are made; 0 is the first entry of a list."""
    if not way:
        return value
    if way[0] == "0":
        return [put(None, way[1:], value)]
    inner = dict(node) if isinstance(node, dict) else {}
    return {**inner, way[0]: put(inner.get(way[0]), way[1:], value)}


def _nothing(_folder: Path) -> None:
    """Makes no file."""


def _socket(path: Path) -> None:
    # A socket's path is short: it is bound from within its folder.
    before = Path.cwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(before)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


_FILES: tuple[Callable[[Path], None], ...] = (
    os.mkfifo,
    Path.mkdir,
    _socket,
    lambda path: path.symlink_to("/dev/zero"),
    lambda path: path.symlink_to(path),
    lambda path: path.symlink_to(path.with_name("gone")),
    lambda path: _write(path, b" " * 20_000_000),
    lambda path: _write(path, bytes(range(256)) * 100),
    lambda path: _write(path, b""),
    lambda path: _write(path, b"[" * 400_000),
    lambda path: _write(
        path, b'{"deployment": {"resources": [' + b'{"urn": "\\u001b[31m::error ::y"},' * 999 + b"{}]}}"
    ),
    lambda path: _write(path, b'{"deployment": {"pending_operations": "x"}}'),
    lambda path: _write(path, b'{"a": NaN, "b": 1e999}'),
)
