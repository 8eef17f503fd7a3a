"""What values a vLLM release reads of each environment variable, from the expressions of `vllm/envs.py`."""

import ast
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from scripts.contractgen.source_tree import Module, SourceTree

_WORDS = {
    "int": "int",
    "float": "float",
    "json.loads": "json",
    "maybe_convert_int": "int",
    "maybe_convert_bool": "switch",
}
"""Functions that raise for a text which they cannot read, each with the word for what they read."""
_CHOOSING = {"env_with_choices": False, "env_list_with_choices": True, "env_set_with_choices": True}
"""Functions that raise for a text which is none of theirs: whether they take several, behind commas."""
_LEVELS = sorted(logging.getLevelNamesMapping())


def read_values(tree: SourceTree) -> dict[str, dict[str, Any]]:
    """By variable, what it may hold: `type` and `choices`; `lazy` where the release may never read it.

    Left out are variables that take any text, and those whose text may name a file.
    """
    envs, logger = tree.module("vllm.envs"), tree.module("vllm.logger")
    assert envs is not None
    assert logger is not None
    always = None if _reads_all(tree) else _named(logger)
    levels = _levels(logger)
    values = {}
    for name, getter in environment_variables(envs).items():
        taken = _taken(name, getter, tree, envs)
        if name in levels:
            taken = {"type": "upper" if _folds(getter) else "str", "choices": _LEVELS}
        if taken:
            values[name] = taken | ({} if always is None or name in always else {"lazy": True})
    return values


def environment_variables(envs: Module) -> Mapping[str, ast.expr]:
    """Each variable that the release reads through `vllm.envs`, to the expression that reads it."""
    definition = envs.runtime["environment_variables"]
    assert isinstance(definition, ast.Dict)
    pairs = zip(definition.keys, definition.values, strict=True)
    return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}


def _reads_all(tree: SourceTree) -> bool:
    """Whether the engine reads every variable as its start ends, to keep what they say (`enable_envs_cache`)."""
    core = tree.module("vllm.v1.engine.core")
    calls = ast.walk(core.tree) if core else ()
    return any(isinstance(node, ast.Call) and ast.unparse(node.func) == "enable_envs_cache" for node in calls)


def _named(module: Module) -> frozenset[str]:
    """Variables that a module names as attributes of `envs`."""
    return frozenset(
        node.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "envs"
    )


def _levels(logger: Module) -> frozenset[str]:
    """Variables that the release's logging takes as a level."""
    found = (value for node in ast.walk(logger.tree) if isinstance(node, ast.Dict) for value in _level_values(node))
    return frozenset(ast.unparse(value).removeprefix("envs.") for value in found)


def _level_values(node: ast.Dict) -> Iterator[ast.expr]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "level" and isinstance(value, ast.Name | ast.Attribute):
            yield value


def _folds(getter: ast.expr) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "upper" for node in ast.walk(getter))


def _taken(name: str, getter: ast.AST, tree: SourceTree, envs: Module) -> dict[str, Any] | None:
    """What a getter takes; None for one that takes any text."""
    if isinstance(getter, ast.Name):
        named = envs.runtime.get(getter.id)
        return _taken(name, named, tree, envs) if isinstance(named, ast.FunctionDef) else None
    read = {ast.unparse(node) for node in ast.walk(getter) if _reads(node, name)}
    # A function may keep the text under a name before it reads it.
    read |= {
        node.targets[0].id
        for node in ast.walk(getter)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _reads(node.value, name)
    }
    for node in ast.walk(getter):
        if not isinstance(node, ast.Call):
            continue
        function = ast.unparse(node.func)
        if function in _CHOOSING and node.args and _is_text(node.args[0], name):
            return _choices(function, node, tree)
        if function == "bool" and node.args and _word(node.args[0], read) == "int":
            return {"type": "switch"}
        if word := _word(node, read):
            return {"type": word}
    return None


def _reads(node: ast.AST, name: str) -> bool:
    """Whether an expression is the text of the variable."""
    match node:
        case ast.Call(func=function, args=[first, *_]) if ast.unparse(function) in ("os.getenv", "os.environ.get"):
            return _is_text(first, name)
        case ast.Subscript(value=value, slice=key):
            return ast.unparse(value) == "os.environ" and _is_text(key, name)
    return False


def _is_text(node: ast.expr, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _word(node: ast.expr, read: set[str]) -> str | None:
    """The word for what a function reads that is given the variable's text, and nothing made of it."""
    if not isinstance(node, ast.Call) or len(node.args) != 1:
        return None
    word, given = _WORDS.get(ast.unparse(node.func)), node.args[0]
    return word if ast.unparse(given) in read else _word(given, read)


def _choices(function: str, call: ast.Call, tree: SourceTree) -> dict[str, Any] | None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    listed = named.get("choices", call.args[-1])
    choices = _members(listed, tree) if isinstance(listed, ast.Lambda) else ast.literal_eval(listed)
    any_case = ast.unparse(named.get("case_sensitive", ast.Constant(True))) == "False"
    kind = "words" if _CHOOSING[function] else "any_case" if any_case else "str"
    return {"type": kind, "choices": sorted({choice.lower() if any_case else choice for choice in choices})}


def _members(listing: ast.Lambda, tree: SourceTree) -> list[str]:
    """Names of the enumeration that a getter of choices imports."""
    texts = [
        node for node in ast.walk(listing) if isinstance(node, ast.Call) and ast.unparse(node.func) == "__import__"
    ]
    place = ast.literal_eval(texts[0].args[0])
    (name,) = ast.literal_eval(next(keyword.value for keyword in texts[0].keywords if keyword.arg == "fromlist"))
    module = tree.module(place)
    found = tree.lookup(module, name) if module else None
    assert found is not None
    assert isinstance(found.node, ast.ClassDef)
    targets = (node.targets[0] for node in found.node.body if isinstance(node, ast.Assign))
    return [target.id for target in targets if isinstance(target, ast.Name)]
