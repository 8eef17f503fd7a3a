"""The keys that a vLLM release takes in each option that is a configuration, where it refuses all others."""

import ast
from collections.abc import Iterator

from scripts.contractgen.annotations import is_dataclass
from scripts.contractgen.config_classes import class_fields
from scripts.contractgen.source_tree import Module, Named, SourceTree

HOLDERS = ("VllmConfig", "ModelConfig", "ParallelConfig")
"""Classes of `vllm.config` whose fields are configurations that an option of the same name sets."""
_FORBIDS = "extra='forbid'"
_PLAIN = "f(**json.loads(x))"
"""How a parser makes the object of a class by its own constructor, which knows no other keys."""


def read_config_keys(tree: SourceTree) -> dict[str, list[str]]:
    """Option to the sorted keys of its class, for classes that refuse unknown keys."""
    root = tree.module("vllm.config")
    assert isinstance(root, Module)
    keys: dict[str, list[str]] = {}
    for holder in filter(None, (tree.lookup(root, name) for name in HOLDERS)):
        for name, (module, field) in class_fields(tree, holder).items():
            for found in _classes(tree, module, field.annotation):
                if _refuses_unknown(tree, found):
                    keys[f"--{name.replace('_', '-')}"] = sorted(_keys(tree, found))
    return keys


def _classes(tree: SourceTree, module: Module, annotation: ast.expr) -> Iterator[Named]:
    """Config classes that an annotation names, quoted or not."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _classes(tree, module, ast.parse(node.value, mode="eval").body)
        found = tree.lookup(module, node.id, True) if isinstance(node, ast.Name) else None
        if found and isinstance(found.node, ast.ClassDef) and is_dataclass(found.node):
            yield found


def _refuses_unknown(tree: SourceTree, found: Named) -> bool:
    """Whether a class forbids other keys: by its parser, its decorator, or the `config` decorator's default."""
    assert isinstance(found.node, ast.ClassDef)
    parsers = tree.module("vllm.engine.arg_utils")
    if parsers and _PLAIN in ast.unparse(parsers.tree):
        return True
    decorators = [ast.unparse(decorator) for decorator in found.node.decorator_list]
    if any(_FORBIDS in text for text in decorators):
        return True
    utils = tree.module("vllm.config.utils")
    default = utils.runtime.get("config") if utils else None
    by_default = isinstance(default, ast.FunctionDef) and _FORBIDS in ast.unparse(default)
    return by_default and any(text.split("(")[0] == "config" for text in decorators)


def _keys(tree: SourceTree, found: Named) -> Iterator[str]:
    for name, (_, field) in class_fields(tree, found).items():
        settings = field.default.keywords if isinstance(field.default, ast.Call) else []
        if not any(k.arg == "init" and ast.unparse(k.value) == "False" for k in settings):
            yield name
