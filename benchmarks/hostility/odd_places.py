"""Odd things where a file, a number or a mapping belongs: in the sandbox's folders and in a model's config.json."""

import json
import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.hostility.inputs import GOOD, MODEL, Case, edited, stack_case

_MAKERS: tuple[Callable[[Path], None], ...] = (
    Path.mkdir,
    os.mkfifo,
    lambda path: path.symlink_to(path),
    lambda path: path.symlink_to(path.with_name("gone") / "x"),
    lambda path: _write(path, bytes(range(256))),
    lambda path: _write(path, b'{"processes": [{"pid": 1}]}'),
    lambda path: _write(path, b""),
)
_STATE_FILES = ("kept.lock", "kept", "kept/sandbox.json", "passing-1", "passing-1/sandbox.json", "")
_OTHER_KINDS: tuple[Any, ...] = ([1], [64, 9], [[]], [None], "x", "16", True, {}, {"a": 1}, 1.5, [], ["x"])


def sandbox_files() -> Iterator[Case]:
    """Each odd thing in place of each file of the state folder, under each command that only reads or clears it."""
    for name in _STATE_FILES:
        for make in _MAKERS:
            for command in ("status", "down"):
                place = partial(_put, name=name, make=make)
                environment = {"L4SERVE_STATE_DIR": "{}/state"}
                yield Case("files of the sandbox", ("sandbox", command), place, environment=environment)


def other_kinds(rng: random.Random, count: int) -> Iterator[Case]:
    """A config.json in which one key has a value of another kind."""
    for _ in range(count):
        key, odd = rng.choice([*MODEL, "text_config", "tie_word_embeddings"]), rng.choice(_OTHER_KINDS)
        content = json.dumps({**MODEL, key: odd}).encode()
        if rng.random() < 0.5:
            serving = edited(GOOD, ("workloads", "qwen", "model"), lambda m: {**m, "config": "config.json"})
            case = stack_case("kinds in config.json", serving, ("plan",))
        else:
            case = Case("kinds in config.json", ("fit", "--json", "--model", "{}/config.json"), lambda _: None)

        def prepare(folder: Path, case: Case = case, content: bytes = content) -> None:
            case.prepare(folder)
            _write(folder / "config.json", content)

        yield Case(case.kind, case.argv, prepare)


def _put(folder: Path, name: str, make: Callable[[Path], None]) -> None:
    path = folder / "state" / "sandbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
