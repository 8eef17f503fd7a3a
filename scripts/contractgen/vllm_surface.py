"""What a vLLM release shows besides its flags: environment, metrics, paths and batch limits."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scripts.contractgen.env_values import environment_variables
from scripts.contractgen.source_tree import Module, SourceTree

_KINDS = ("gauge", "counter", "histogram", "summary")
_METRIC = re.compile(r"vllm:[a-z0-9_]+")
_CORE_METRICS = "vllm.v1.metrics.loggers"
_VERBS = ("get", "post", "put", "delete", "api_route", "websocket")


def read_environment(tree: SourceTree) -> list[str]:
    """Names of the environment variables that the release reads through `vllm.envs`."""
    module = tree.module("vllm.envs")
    assert module is not None
    return sorted(environment_variables(module))


def read_metrics(tree: SourceTree) -> dict[str, dict[str, Any]]:
    """Exposed Prometheus names with type; `when` is `always`, `hidden` (off by default) or `feature`.

    Metrics that a KV-offload connector registers from a table of its own are left out.
    """
    metrics: dict[str, dict[str, Any]] = {}
    for module in tree.modules_under("vllm", containing='"vllm:'):
        if module.name == "vllm.engine.metrics":
            continue
        for call in _calls(module.tree, _Around()):
            kind = _kind(call.node)
            for name in _metric_names(tree, module, call) if kind else ():
                exposed = f"{name}_total" if kind == "counter" and not name.endswith("_total") else name
                metrics.setdefault(exposed, {"type": kind, "when": _when(module, call.around.tests)})
    return dict(sorted(metrics.items()))


@dataclass(frozen=True)
class _Around:
    """What encloses a call: the conditions and the function."""

    tests: tuple[str, ...] = ()
    function: ast.AST | None = None


@dataclass(frozen=True)
class _Call:
    node: ast.Call
    around: _Around


def _calls(node: ast.AST, around: _Around) -> Iterator[_Call]:
    if isinstance(node, ast.Call):
        yield _Call(node, around)
    if isinstance(node, ast.FunctionDef):
        around = replace(around, function=node)
    for name, value in ast.iter_fields(node):
        inner = around
        if isinstance(node, ast.If) and name == "body":
            inner = replace(around, tests=(*around.tests, ast.unparse(node.test)))
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _calls(child, inner)


def _kind(call: ast.Call) -> str | None:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return next((kind for kind in _KINDS if kind in function.lower()), None)


def _metric_names(tree: SourceTree, module: Module, call: _Call) -> list[str]:
    """The name given to a metric; a loop's name stands for every metric that the function lists."""
    named = next((keyword.value for keyword in call.node.keywords if keyword.arg == "name"), None)
    if isinstance(named, ast.Name):
        found = tree.lookup(module, named.id)
        if found is None:
            constants = ast.walk(call.around.function) if call.around.function else ()
            tuples = (node.elts[0] for node in constants if isinstance(node, ast.Tuple) and node.elts)
            return [text for element in tuples if (text := _metric_text(element))]
        named = found.node if isinstance(found.node, ast.expr) else None
    text = _metric_text(named)
    return [text] if text else []


def _metric_text(node: ast.expr | None) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) and _METRIC.fullmatch(value) else None


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
    """The server's default batch limits by the card's memory in GiB or name, the largest cards first, the rest last."""
    module = tree.module("vllm.engine.arg_utils")
    assert module is not None
    for node in ast.walk(module.tree):
        if isinstance(node, ast.If) and re.search(r"device_memory >=|'h100' in device_name", ast.unparse(node.test)):
            assigned = (statement for statement in ast.walk(module.tree) if isinstance(statement, ast.Assign))
            common = _limits([statement for statement in assigned if isinstance(statement.value, ast.Constant)])
            return [{**common, **tier} for tier in _tiers(node)]
    return []


def _tiers(node: ast.If) -> Iterator[dict[str, Any]]:
    test = ast.unparse(node.test)
    memory = re.search(r"device_memory >= (\d+) \* GiB_bytes", test)
    yield {
        "minMemoryGib": int(memory.group(1)) if memory else 0,
        "exceptDevices": re.findall(r"'(\w+)' not in device_name", test),
        "onlyDevices": re.findall(r"'(\w+)' in device_name", test),
        **_limits(node.body),
    }
    if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        yield from _tiers(node.orelse[0])
    else:
        yield {"minMemoryGib": 0, "exceptDevices": [], "onlyDevices": [], **_limits(node.orelse)}


def _limits(body: Sequence[ast.stmt]) -> dict[str, int]:
    """What a block sets for the server: a number, or the entry of a table by usage."""
    names = {"default_max_num_batched_tokens": "maxNumBatchedTokens", "default_max_num_seqs": "maxNumSeqs"}
    limits: dict[str, int] = {}
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int() as limit)) if name in names:
                limits[names[name]] = limit
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys, values=values)) if name in names:
                for key, value in zip(keys, values, strict=True):
                    if key is not None and ast.unparse(key).endswith("OPENAI_API_SERVER"):
                        limits[names[name]] = ast.literal_eval(value)
    return limits
