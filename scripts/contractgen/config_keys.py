"""What a vLLM release takes in each option that is a configuration: its keys, and the values of each.

A release that takes unknown keys in silence has no keys for an option, and one that looks at no value has no words.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from scripts.contractgen.annotations import is_dataclass
from scripts.contractgen.config_classes import ConfigField, class_fields
from scripts.contractgen.config_types import ANY, value_word
from scripts.contractgen.source_tree import Imported, Module, Named, SourceTree

HOLDERS = ("VllmConfig", "ModelConfig", "ParallelConfig", "KernelConfig")
"""Classes of `vllm.config` whose fields are configurations that an option of the same name sets."""
PARTS = ("ModelConfig", "CacheConfig", "ParallelConfig", "SchedulerConfig", "LoadConfig", "ObservabilityConfig")
"""Classes that every start makes, whose other fields an option of the same name sets."""
_CONNECTORS = "vllm.distributed.kv_transfer.kv_connector.factory"
"""The module that names the connectors, beside which a start takes those of a path of the operator's own."""
_FORBIDS = "extra='forbid'"
_PLAIN = "f(**json.loads(x))"
"""How a parser makes the object of a class by its own constructor, which knows no other keys."""


@dataclass(frozen=True)
class Taken:
    """What a configuration takes."""

    closed: bool
    """Whether other keys are refused."""
    values: dict[str, str] = field(default_factory=dict)
    """Key to the word for its values, `any` where they are not looked at."""


def read_config_keys(tree: SourceTree) -> dict[str, Taken]:
    """Option, or option and key where that holds a configuration too, to what it takes."""
    root = tree.module("vllm.config")
    assert isinstance(root, Module)
    parser = tree.module("vllm.engine.arg_utils")
    arguments = tree.lookup(parser, "EngineArgs") if parser else None
    taken: dict[str, Taken] = {}
    for holder in filter(None, (arguments, *(tree.lookup(root, name) for name in HOLDERS))):
        for name, (module, entry) in class_fields(tree, holder).items():
            if holder is arguments and "dict" in ast.unparse(entry.annotation):
                continue  # an object of any keys
            for found in _classes(tree, module, entry.annotation):
                taken |= _taken(tree, found, f"--{name.replace('_', '-')}")
    if "--kv-transfer-config" in taken and (connectors := read_connectors(tree)):
        named = f"in({','.join(json.dumps(name) for name in connectors)}) | none"
        taken["--kv-transfer-config"].values["kv_connector"] = named
    return taken


def read_connectors(tree: SourceTree) -> list[str]:
    """Connectors of KV caches that a release has, by the calls that register them."""
    module = tree.module(_CONNECTORS)
    calls = ast.walk(ast.parse(module.path.read_text(encoding="utf-8"))) if module else ()
    return [
        ast.literal_eval(call.args[0])
        for call in calls
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".register_connector")
    ]


def read_plain_values(tree: SourceTree) -> dict[str, str]:
    """Option to the word for its value, where the class behind it looks at more than the parser does."""
    root = tree.module("vllm.config")
    assert isinstance(root, Module)
    words: dict[str, str] = {}
    for part in filter(None, (tree.lookup(root, name) for name in PARTS)):
        for name, (module, entry) in class_fields(tree, part).items():
            word = value_word(tree, part, module, entry) if _is_looked_at(tree, part) else ANY
            alternatives = [one for one in word.split(" | ") if one != "none"]
            if alternatives == ["dict"] or any(sign in word for sign in "<>"):
                words[f"--{name.replace('_', '-')}"] = " | ".join(alternatives)
    return words


def _taken(tree: SourceTree, found: Named, option: str) -> dict[str, Taken]:
    """What a class takes, and what the classes that its fields hold take."""
    looked_at = _is_looked_at(tree, found)
    rows: dict[str, Taken] = {}
    values: dict[str, str] = {}
    for name, (module, entry) in _fields(tree, found):
        values[name] = value_word(tree, found, module, entry) if looked_at else ANY
        if "config" in values[name].split(" | "):
            inner = [*_classes(tree, module, entry.annotation)]
            if len(inner) == 1 and inner[0].name != found.name:
                rows |= _taken(tree, inner[0], f"{option}.{name}")
    return {option: Taken(_refuses_unknown(tree, found), values), **rows}


def _classes(tree: SourceTree, module: Module, annotation: ast.expr) -> Iterator[Named]:
    """Config classes that an annotation names, quoted or not."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _classes(tree, module, ast.parse(node.value, mode="eval").body)
        found = tree.lookup(module, node.id, True) if isinstance(node, ast.Name) else None
        if found and isinstance(found.node, ast.ClassDef) and (is_dataclass(found.node) or _is_model(found)):
            yield found


def _is_model(found: Named) -> bool:
    """Whether a class is one of pydantic's models."""
    assert isinstance(found.node, ast.ClassDef)
    return any(ast.unparse(base) == "BaseModel" for base in found.node.bases)


def _is_plain(found: Named) -> bool:
    """Whether a class is a dataclass of the standard library, whose constructor looks at keys and at no value."""
    source = found.module.runtime.get("dataclass")
    return not _is_model(found) and isinstance(source, Imported) and source.module == "dataclasses"


def _is_looked_at(tree: SourceTree, found: Named) -> bool:
    """Whether a start compares values with the types of a class; 0.9.0 makes objects without."""
    return not _is_plain(found) and not _makes_plainly(tree)


def _makes_plainly(tree: SourceTree) -> bool:
    parsers = tree.module("vllm.engine.arg_utils")
    return parsers is not None and _text_has(parsers.path, _PLAIN)


@lru_cache(maxsize=8)
def _text_has(path: Path, text: str) -> bool:
    return text in path.read_text(encoding="utf-8")


def _refuses_unknown(tree: SourceTree, found: Named) -> bool:
    """Whether a class forbids other keys: by its constructor, its decorator, or the `config` decorator's default."""
    assert isinstance(found.node, ast.ClassDef)
    if _is_plain(found) or _makes_plainly(tree):
        return True
    decorators = [ast.unparse(decorator) for decorator in found.node.decorator_list]
    if any(_FORBIDS in text for text in decorators):
        return True
    utils = tree.module("vllm.config.utils")
    default = utils.runtime.get("config") if utils else None
    by_default = isinstance(default, ast.FunctionDef) and _FORBIDS in ast.unparse(default)
    return by_default and any(text.split("(")[0] == "config" for text in decorators)


def _fields(tree: SourceTree, found: Named) -> Iterator[tuple[str, tuple[Module, ConfigField]]]:
    for name, (module, entry) in class_fields(tree, found).items():
        settings = entry.default.keywords if isinstance(entry.default, ast.Call) else []
        if not any(k.arg == "init" and ast.unparse(k.value) == "False" for k in settings):
            yield name, (module, entry)
