"""Stack files with as many parts of one kind as a file may hold, some that work and some that are refused."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.hostility.inputs import GOOD, Case, stack_case
from l4serve.config.secrets_guard import MOST_LONG_TEXTS

MOST = 1000
"""Entries of one mapping or list of a file."""
WORKLOADS = 200
"""Different ones that every command judges within the limits; a thousand take longer."""
_MODELS = ("Qwen/Qwen2.5-1.5B-Instruct", "Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen3-0.6B", "google/gemma-7b")
_RELEASES = ("0.26.0", "0.19.1", "0.13.0", "0.10.0", "0.8.5")
_COMMANDS = (
    ("plan",),
    ("plan", "--json"),
    ("plan", "--markdown"),
    ("check",),
    ("check", "--json"),
    ("diff", "--from", "{}/Pulumi.y.yaml", "--to", "{}/Pulumi.x.yaml"),
    ("dashboard",),
    ("advise",),
)


def many(rng: random.Random, count: int) -> Iterator[Case]:
    """So many cases; each of their kind once before any comes again."""
    makers = list(_MAKERS)
    for number in range(count):
        serving = makers[number % len(makers)](rng)
        # What a thousand workloads take beyond the limits is told in docs/security.md.
        few = len(serving["workloads"]) <= WORKLOADS
        command = _COMMANDS[(number // len(makers) + number) % len(_COMMANDS)] if few else ("check",)
        case = stack_case("very many parts", serving, command)
        yield _between(makers[number % len(makers)](rng), case) if command[0] == "diff" else case


def _between(serving: Mapping[str, Any], case: Case) -> Case:
    """The difference between another stack and a case's own."""
    other = stack_case(case.kind, serving, ("diff",))

    def prepare(folder: Path) -> None:
        other.prepare(folder)
        (folder / "Pulumi.x.yaml").rename(folder / "Pulumi.y.yaml")
        case.prepare(folder)

    return replace(case, argv=case.argv[:-2], prepare=prepare)


def _stack(**parts: Any) -> dict[str, Any]:
    return {**GOOD, **parts}


def _workloads(rng: random.Random, models: tuple[str, ...], count: int, **fields: Any) -> Mapping[str, Any]:
    made = {}
    for number in range(count):
        engine = {"kind": "vllm", "version": rng.choice(_RELEASES), "maxModelLen": 2048 + 3 * number}
        load = {"inputTokens": 100 + number, "outputTokens": 100 + rng.randrange(800)}
        made[f"w{number}"] = {"engine": engine, "model": {"id": rng.choice(models)}, "load": load, **fields}
    return _stack(nodePools={"l4": {"machineType": "g2-standard-8", "maxNodes": MOST}}, workloads=made)


def _one(field: str, value: Any) -> Mapping[str, Any]:
    """The good stack with one field of its workload."""
    return _stack(workloads={"qwen": {**GOOD["workloads"]["qwen"], field: value}})


def _texts(rng: random.Random) -> Mapping[str, Any]:
    """Texts that are as long as they may be, and begin again and again what could be a secret."""
    piece = rng.choice(("@a ", "@", "a:", "b=1 ", "'k': 'v', ", "--a b ", "<a>b</a>", "{{ x }}", "\u00e9:", "//a "))
    long = (piece * MOST_LONG_TEXTS)[: MOST_LONG_TEXTS // 2 - MOST]
    fields = {"extraEnv": {"A": long, "B": f"-{long}"}}
    return _stack(workloads={"qwen": {**GOOD["workloads"]["qwen"], **fields}})


def _pools(count: int) -> dict[str, Any]:
    return {f"p{number}": {"machineType": "g2-standard-12", "maxNodes": 2} for number in range(count)}


def _classes(count: int, priorities: int) -> Mapping[str, Any]:
    orders = {
        f"c{number}": {"priorities": [{"nodePool": f"p{(number + way) % 100}"} for way in range(priorities)]}
        for number in range(count)
    }
    return _stack(nodePools=_pools(100), computeClasses=orders, workloads={})


_MAKERS: tuple[Callable[[random.Random], Mapping[str, Any]], ...] = (
    lambda rng: _workloads(rng, _MODELS[:3], WORKLOADS),
    lambda rng: _workloads(rng, _MODELS[3:], WORKLOADS),
    lambda rng: _workloads(rng, _MODELS, WORKLOADS, fit="warn"),
    lambda rng: _workloads(rng, _MODELS[:3], WORKLOADS, nodePool="gone"),
    lambda rng: _workloads(rng, _MODELS, MOST),
    _texts,
    lambda _: _stack(nodePools=_pools(100)),
    lambda _: _stack(nodePools=_pools(MOST)),
    lambda _: _classes(100, 100),
    lambda _: _classes(1, MOST),
    lambda _: _one("extraArgs", [f"--seed={number}" for number in range(MOST)]),
    lambda _: _one("extraArgs", [f"--no-such-{number}" for number in range(MOST)]),
    lambda _: _one("extraEnv", {f"A_{number}": "b" for number in range(MOST)}),
    lambda _: _one("env", {f"A_{number}": {"secret": "s", "key": "k"} for number in range(MOST)}),
    lambda _: _one("labels", {f"a{number}": "b" for number in range(MOST)}),
    lambda _: _one("allow", [{"rule": f"vllm-{number}", "reason": "why"} for number in range(MOST)]),
)
