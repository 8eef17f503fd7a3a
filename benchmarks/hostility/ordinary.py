"""Settings of ordinary use, which no guard may refuse or hide: what secrets and attacks look like, and they are not."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.hostility.inputs import GOOD, Case, edited, stack_case

_STANDS_FOR = {"DIGEST": "9b1c" * 16, "COMMIT": "9b1c" * 10, "HEX": "3f9a7c21e8b04d56a1c2f3e4d5b69788"}
_LABELS = {
    "example.com/auth": "keycloak",
    "commit": "9b1c" * 10,
    "tenant-key": "acme-eu",
    "app.kubernetes.io/part-of": "chat",
}
_NAMES = (
    "sk-learn-assistant-large",
    "chat-20240101123456789012",
    "qwen3-30b-a3b-instruct-2507-fp8",
    "Qwen3_30B_A3B_FP8",
)
_REVISIONS = ("v1.2+cu128", "9b1c" * 10, "release/2025.1")


def variables() -> list[tuple[str, str]]:
    """Names and values of the variables in ordinary_variables.txt, with the digits that words stand for."""
    text = Path(__file__).with_name("ordinary_variables.txt").read_text(encoding="utf-8")
    pairs = [line.partition("=")[::2] for line in text.splitlines() if line and not line.startswith("#")]
    for name, meant in _STANDS_FOR.items():
        pairs = [(variable, value.replace(name, meant)) for variable, value in pairs]
    return pairs


def ordinary(rng: random.Random) -> Iterator[Case]:
    """A case for each setting, which a command must take."""
    qwen = ("workloads", "qwen")
    changes: list[tuple[tuple[str, ...], Any]] = [
        *(((*qwen, "extraEnv"), {name: value}) for name, value in variables()),
        *(((*qwen, "labels"), {name: value}) for name, value in _LABELS.items()),
        *(((*qwen, "engine", "servedModelName"), [name]) for name in _NAMES),
        *(((*qwen, "model", "revision"), revision) for revision in _REVISIONS),
    ]
    for path, value in changes:
        serving = edited(GOOD, path, lambda _, value=value: value)
        case = stack_case("ordinary settings", serving, rng.choice((("plan",), ("plan", "--json"))))
        yield Case(case.kind, case.argv, case.prepare, passes=True)
