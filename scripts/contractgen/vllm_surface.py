"""What a vLLM release shows besides its flags: environment, metrics, paths, batch limits and entry point."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from scripts.contractgen.source_tree import Module, SourceTree

_KINDS = ("gauge", "counter", "histogram", "summary")
_METRIC = re.compile(r"vllm:[a-z0-9_]+")
_CORE_METRICS = "vllm.v1.metrics.loggers"
_VERBS = ("get", "post", "put", "delete", "api_route", "websocket")


def read_environment(tree: SourceTree) -> list[str]:
    """Names of the environment variables that the release reads through `vllm.envs`."""
    module = tree.module("vllm.envs")
    assert module is not None
    definition = module.runtime["environment_variables"]
    assert isinstance(definition, ast.Dict)
    names = [key.value for key in definition.keys if isinstance(key, ast.Constant)]
    return sorted({name for name in names if isinstance(name, str)})


def read_metrics(tree: SourceTree) -> dict[str, dict[str, Any]]:
    """Exposed Prometheus names with type; `when` is `always`, `hidden` (off by default) or `feature`."""
    metrics: dict[str, dict[str, Any]] = {}
    for module in tree.modules_under("vllm", containing='"vllm:'):
        if module.name == "vllm.engine.metrics":
            continue
        for call, tests in _calls(module.tree, ()):
            kind, name = _metric(call)
            if kind and name:
                exposed = f"{name}_total" if kind == "counter" and not name.endswith("_total") else name
                metrics.setdefault(exposed, {"type": kind, "when": _when(module, tests)})
    return dict(sorted(metrics.items()))


def _calls(node: ast.AST, tests: tuple[str, ...]) -> Iterator[tuple[ast.Call, tuple[str, ...]]]:
    """Every call with the conditions around it."""
    if isinstance(node, ast.Call):
        yield node, tests
    for name, value in ast.iter_fields(node):
        inner = (*tests, ast.unparse(node.test)) if isinstance(node, ast.If) and name == "body" else tests
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _calls(child, inner)


def _metric(call: ast.Call) -> tuple[str | None, str | None]:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    kind = next((kind for kind in _KINDS if kind in function.lower()), None)
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "name"), None)
    if isinstance(named, ast.Constant) and isinstance(named.value, str) and _METRIC.fullmatch(named.value):
        return kind, named.value
    return None, None


def _when(module: Module, tests: tuple[str, ...]) -> str:
    if any("show_hidden" in test for test in tests):
        return "hidden"
    return "always" if module.name == _CORE_METRICS and not tests else "feature"


def read_paths(tree: SourceTree) -> list[str]:
    """HTTP paths that the server's routers register."""
    paths = {"/metrics"}
    for module in tree.modules_under("vllm/entrypoints", containing="@"):
        for node in ast.walk(module.tree):
            decorators = getattr(node, "decorator_list", [])
            paths |= {path for decorator in decorators if (path := _route(decorator))}
    return sorted(paths)


def _route(decorator: ast.expr) -> str | None:
    match decorator:
        case ast.Call(func=ast.Attribute(attr=verb), args=[ast.Constant(value=str(path)), *_]) if verb in _VERBS:
            return path if path.startswith("/") else None
    return None


def read_batch_defaults(tree: SourceTree) -> list[dict[str, Any]]:
    """The server's default batch limits by the card's memory in GiB, largest cards first, the rest last."""
    module = tree.module("vllm.engine.arg_utils")
    assert module is not None
    for node in ast.walk(module.tree):
        if isinstance(node, ast.If) and "device_memory >=" in ast.unparse(node.test):
            return list(_tiers(node))
    return []


def _tiers(node: ast.If) -> Iterator[dict[str, Any]]:
    found = re.search(r"device_memory >= (\d+) \* GiB_bytes", ast.unparse(node.test))
    assert found
    excluded = re.findall(r"'(\w+)' not in device_name", ast.unparse(node.test))
    yield {"minMemoryGib": int(found.group(1)), "exceptDevices": excluded, **_limits(node.body)}
    if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        yield from _tiers(node.orelse[0])
    else:
        yield {"minMemoryGib": 0, "exceptDevices": [], **_limits(node.orelse)}


def _limits(body: list[ast.stmt]) -> dict[str, int]:
    names = {"default_max_num_batched_tokens": "maxNumBatchedTokens", "default_max_num_seqs": "maxNumSeqs"}
    limits: dict[str, int] = {}
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys, values=values)) if name in names:
                for key, value in zip(keys, values):
                    if key is not None and ast.unparse(key).endswith("OPENAI_API_SERVER"):
                        limits[names[name]] = ast.literal_eval(value)
    return limits


def read_command(tree: SourceTree) -> list[str]:
    """The official image's entry point."""
    text = (tree.root / "docker" / "Dockerfile").read_text(encoding="utf-8")
    entries: list[list[str]] = [json.loads(entry) for entry in re.findall(r"^ENTRYPOINT (\[.*\])", text, re.MULTILINE)]
    return next(entry for entry in entries if not entry[0].startswith((".", "/")))
