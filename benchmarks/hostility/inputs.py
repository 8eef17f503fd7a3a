"""Generates hostile inputs: stack files, configs of models, files that are none, and secrets where none belongs."""

import copy
import json
import os
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from l4serve.cli.commands.schema_command import stack_file_schema

SERVING = "gke-llm-serving:serving"
GOOD: Mapping[str, Any] = {
    "cluster": {"mode": "standard", "name": "llm", "location": "us-central1-a", "network": "default"},
    "nodePools": {"l4": {"machineType": "g2-standard-12", "maxNodes": 2, "labels": {"team": "a"}}},
    "workloads": {
        "qwen": {
            "engine": {
                "kind": "vllm", "version": "0.26.0", "maxModelLen": 4096, "servedModelName": ["chat"],
                "chatTemplate": "{{ x }}", "overrideGenerationConfig": {"stop": ["x"]}, "tokenizer": "a/b",
            },
            "model": {"id": "Qwen/Qwen2.5-1.5B-Instruct", "revision": "main"},
            "nodePool": "l4",
            "extraArgs": ["--uvicorn-log-level=warning"],
            "extraEnv": {"A": "b"},
            "labels": {"team": "a"},
            "allow": [{"rule": "vllm-eager", "reason": "why"}],
        }
    },
}  # fmt: skip
MODEL: Mapping[str, Any] = {
    "architectures": ["Qwen3MoeForCausalLM"], "hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32,
    "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 6144, "vocab_size": 151936,
    "max_position_embeddings": 40960, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 768,
    "rope_scaling": {"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 4096},
    "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128},
    "vision_config": {"hidden_size": 1024, "depth": 24, "patch_size": 14, "image_size": 448},
    "layer_types": ["full_attention"] * 16, "sliding_window": 4096, "torch_dtype": "bfloat16",
    "first_k_dense_replace": 0, "kv_lora_rank": 0, "linear_num_value_heads": 0,
}  # fmt: skip
MARKUP = (
    "[INST]",
    "[/INST]",
    "[/]",
    "[bold]",
    "[link=http://e]x[/link]",
    ":smile:",
    "[[",
    "\\[",
    "{{",
    "%s",
    "$(A)",
    "[/INST",
)
ACTING = (
    "\x1b[31m", "\x1b]8;;http://e\x07x", "\x07", "\x00", "\r", "\n::error ::y", "\n```\n# x", "\u202e", "\u2066",
    "\u2028", "\x85", "\x9b2J", "\x7f", "\ud800", "\u200b", "##[error]", "::add-mask::x", "\t", "\U000e0041",
    "\u00ad", "\u034f", "\u115f", "\u3164", "\uffa0", "\u2800", "\u200d", "\ufe0f", "\u00a0", "\u3000", "\U0001d173",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    -1, 0, 2**31, 2**63, 2**64, 10**30, -0.5, 1e308, "9" * 5000, "1e400", "", "x" * 70_000, None, True, [], {}, [[]],
    {"secure": "x"}, [None], "../../etc/passwd", "a/../../b:v", "my-pr\u043eject", "\u0661\u0662",
    "2024-99-99T00:00:00Z",
)  # fmt: skip
_LINES = (
    "2024-02-30", "2024-02-20", "12:30:45", "190:20:30", "!!set {b, a}", "!!binary aGk=", "!!python/object:os.system x",
    "*gone", "&x [*x]", "? [a]\n    : b", "{[a]: b}", "{null: b}", "{? {a: b} : c}", "!!int x", ".inf", ".nan", "0x_1F",
    "<<: 5", "{<<: [1]}", "!<x> y", "%x", "@x", "`x", "- a\n- b", "|\n  x", "\tx", "{a: b, a: c}", "!!timestamp x",
)  # fmt: skip
_FLAGS = (
    "--host=127.0.0.1", "--host", "--uds=/x", "--headless", "--ssl-keyfile=/x", "--config=/etc/passwd", "--port=1",
    "--model=x", "--data-parallel-rank=1", "--grpc", "-O3", "--", "-", "--=x", "--x.y=z", "--limit-mm-per-prompt={",
    "--compilation-config=[[[", "--max-model-len=1", "--no-enable-prefix-caching", "--root-path=\n::error ::x",
    '--model-loader-extra-config={"memory\\u005flimit": 1}', "--HOST=x", "--ho\u0455t=x", "'--port=1'", " --port=1",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One command on hostile input. `prepare` makes its files in a folder; `{}` in the arguments is that folder."""

    kind: str
    argv: tuple[str, ...]
    prepare: Callable[[Path], None]
    secret: str | None = field(default=None, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    passes: bool = False
    """Whether the command must take it."""


def cases(rng: random.Random, per_kind: int) -> Iterator[Case]:
    """At least `per_kind` cases of each kind, other ones for another seed."""
    for make in (_markup, _acting, _odd, _lines, _flags, _shapes, _bytes):
        yield from (make(rng) for _ in range(per_kind))
    yield from _bombs()
    yield from _files()


_COMMANDS = (("plan",), ("plan", "--json"), ("check",), ("shapes",), ("dashboard",))


def stack_case(kind: str, serving: Any, command: tuple[str, ...], secret: str | None = None, tail: str = "") -> Case:
    """A command on a stack file with this object; `tail` is appended to the file as it stands."""

    def prepare(folder: Path) -> None:
        text = yaml.safe_dump({"config": {"gcp:project": "my-project", SERVING: serving}}, allow_unicode=False)
        (folder / "Pulumi.x.yaml").write_text(text + tail, encoding="utf-8", errors="surrogatepass")

    return Case(kind, (*command, "-f", "{}/Pulumi.x.yaml"), prepare, secret)


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


def edited(root: Mapping[str, Any], path: tuple[Any, ...], change: Callable[[Any], Any]) -> dict[str, Any]:
    """A copy of an object in which what stands at a path is changed."""
    copied: Any = copy.deepcopy(dict(root))
    at = copied
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = change(at[path[-1]])
    result: dict[str, Any] = copied
    return result


def _texts(rng: random.Random) -> tuple[Any, ...]:
    texts = [path for path in _places(dict(GOOD)) if isinstance(_at(GOOD, path), str)]
    return rng.choice(texts)


def _at(root: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        root = root[key]
    return root


def _with(rng: random.Random, kind: str, piece: str) -> Case:
    """A text of the good stack, or a key of it, with a piece put into it."""
    if rng.random() < 0.25:
        parents = [path for path in _places(dict(GOOD)) if isinstance(_at(GOOD, path), dict)]
        return stack_case(
            kind, edited(GOOD, rng.choice(parents), lambda d: {**d, f"a{piece}b": "c"}), rng.choice(_COMMANDS)
        )
    return stack_case(
        kind, edited(GOOD, _texts(rng), lambda text: rng.choice((piece, f"{text}{piece}"))), rng.choice(_COMMANDS)
    )


def _markup(rng: random.Random) -> Case:
    return _with(rng, "markup", rng.choice(MARKUP))


def _acting(rng: random.Random) -> Case:
    return _with(rng, "control characters", rng.choice(ACTING))


def _odd(rng: random.Random) -> Case:
    """An odd value at a place of the good stack, or at any field that the schema knows."""
    if rng.random() < 0.5:
        return stack_case(
            "odd values",
            edited(GOOD, rng.choice([*_places(dict(GOOD))]), lambda _: rng.choice(ODD)),
            rng.choice(_COMMANDS),
        )
    where, key = rng.choice(fields())
    return stack_case("odd values", edited(GOOD, where, lambda d: {**d, key: rng.choice(ODD)}), rng.choice(_COMMANDS))


@cache
def fields() -> list[tuple[tuple[Any, ...], str]]:
    """Every key that the schema knows of the good stack's objects, with the path of its object."""
    definitions = stack_file_schema()["$defs"]
    at = {
        "StandardCluster": ("cluster",), "NodePool": ("nodePools", "l4"), "Workload": ("workloads", "qwen"),
        "VllmEngine": ("workloads", "qwen", "engine"), "Model": ("workloads", "qwen", "model"),
    }  # fmt: skip
    return [(where, key) for name, where in at.items() for key in definitions[name]["properties"]]


def _lines(rng: random.Random) -> Case:
    line, where = rng.choice(_LINES), rng.choice(("extraEnv", "labels", "model", "replicas"))
    value = f"\n    x: {line}\n" if rng.random() < 0.3 else f"\n    workloads: {{q: {{{where}: {{A: {line}}}}}}}\n"

    def prepare(folder: Path) -> None:
        head = f"config:\n  {SERVING}:\n    cluster: {{mode: standard, name: llm, location: us-central1-a}}"
        (folder / "Pulumi.x.yaml").write_text(head + value, encoding="utf-8")

    return Case("YAML of odd forms", (*rng.choice(_COMMANDS), "-f", "{}/Pulumi.x.yaml"), prepare)


def _flags(rng: random.Random) -> Case:
    flags = rng.sample(_FLAGS, rng.randint(1, 3))
    return stack_case("flags", edited(GOOD, ("workloads", "qwen", "extraArgs"), lambda _: flags), rng.choice(_COMMANDS))


def _shapes(rng: random.Random) -> Case:
    """A config.json with odd figures, named by a stack or on the command line."""
    model = dict(MODEL)
    for path in rng.sample([*_places(model)], rng.randint(1, 3)):
        odd = rng.choice((*ODD, float("inf"), float("nan"), 1, 7, 1000))
        try:
            model = edited(model, path, lambda _, odd=odd: odd)
        except (KeyError, IndexError, TypeError):
            continue
    if rng.random() < 0.5:
        serving = edited(GOOD, ("workloads", "qwen", "model"), lambda m: {**m, "config": "config.json"})
        case = stack_case("shapes of models", serving, rng.choice(_COMMANDS[:3]))
    else:
        engine = rng.choice((("--engine", "tgi"), ("--engine", "vllm")))
        case = Case("shapes of models", ("fit", "--json", *engine, "--model", "{}/config.json"), lambda _: None)

    def prepare(folder: Path) -> None:
        case.prepare(folder)
        (folder / "config.json").write_text(json.dumps(model), encoding="utf-8")

    return Case(case.kind, case.argv, prepare)


def _bytes(rng: random.Random) -> Case:
    """The good file with bytes changed, cut or doubled."""
    content = bytearray(yaml.safe_dump({"config": {SERVING: dict(GOOD)}}).encode())
    for _ in range(rng.randint(1, 8)):
        start = rng.randrange(len(content))
        content[start : start + rng.randint(0, 9)] = rng.choice(
            (rng.randbytes(rng.randint(0, 5)), content[:7], b"[{&*!|>%@`")
        )
    return Case(
        "changed bytes",
        (*rng.choice(_COMMANDS), "-f", "{}/Pulumi.x.yaml"),
        lambda f: _write(f / "Pulumi.x.yaml", bytes(content)),
    )


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _bombs() -> Iterator[Case]:
    nested = "\n".join(["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20))])
    texts = {
        "aliases": nested, "lists": "[" * 300_000, "mappings": "{a: " * 100_000, "long": "[" + "1," * 5_000_000 + "]",
        "keys": "config:\n" + "\n".join(f"  k{i}: 1" for i in range(200_000)), "number": "a: " + "9" * 900_000,
        "unknown": f"config:\n  {SERVING}:\n" + "\n".join(f"    k{i}: 1" for i in range(12_000)),
        "workloads": f"config:\n  {SERVING}:\n    workloads:\n" + "\n".join(f"      w{i}: {{}}" for i in range(10_000)),
        "quotes": '["' * 300_000, "anchors": "[" + ", ".join(f"&a{i} x" for i in range(100_000)) + "]",
    }  # fmt: skip
    for text in texts.values():
        for command in _COMMANDS[:3]:
            yield Case("bombs", (*command, "-f", "{}/x.yaml"), lambda f, text=text: _write(f / "x.yaml", text.encode()))
    for text in ("[" * 500_000, '{"a":' * 200_000, "[" + "1," * 400_000 + "1]", "9" * 1_000_000, "[1e999999]", "NaN"):
        yield Case("bombs", ("fit", "--model", "{}/x.json"), lambda f, text=text: _write(f / "x.json", text.encode()))


def _files() -> Iterator[Case]:
    makers: dict[str, Callable[[Path], None]] = {
        "pipe": os.mkfifo,
        "folder": Path.mkdir,
        "endless": lambda path: path.symlink_to("/dev/zero"),
        "outside": lambda path: path.symlink_to("/etc/passwd"),
        "loop": lambda path: path.symlink_to(path),
        "large": lambda path: _write(path, b" " * 20_000_000),
        "binary": lambda path: _write(path, bytes(range(256)) * 100),
        "unreadable text": lambda path: _write(path, b"\xff\xfe\x00a"),
        "empty": lambda path: _write(path, b""),
    }
    for make in makers.values():
        for command in _COMMANDS[:3]:
            yield Case("files that are none", (*command, "-f", "{}/x.yaml"), lambda f, make=make: make(f / "x.yaml"))
            serving = edited(GOOD, ("workloads", "qwen", "model"), lambda m: {**m, "config": "config.json"})
            case = stack_case("files that are none", serving, command)

            def prepare(folder: Path, case: Case = case, make: Callable[[Path], None] = make) -> None:
                case.prepare(folder)
                make(folder / "config.json")

            yield Case(case.kind, case.argv, prepare)
        yield Case("files that are none", ("fit", "--model", "{}/x.json"), lambda f, make=make: make(f / "x.json"))
    for name in ("/dev/zero", "/etc/passwd", "../../../etc/passwd", "\x00", "a\nb", "/proc/self/environ", "."):
        serving = edited(GOOD, ("workloads", "qwen", "model"), lambda m, name=name: {**m, "config": name})
        yield stack_case("files that are none", serving, ("plan",))
    for name in ("x\n::error ::y", "../../etc/passwd", "[/INST]", "\x1b[31m", "a" * 5000):
        yield Case("files that are none", ("plan", "-s", name), lambda _: None)
        yield Case("files that are none", ("plan", "-f", name), lambda _: None)
        yield Case("files that are none", ("fit", "--model", name), lambda _: None)
        yield Case("files that are none", ("check", "-s", "dev", "--engine-version", name), lambda _: None)
