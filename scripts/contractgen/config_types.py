"""What a vLLM release takes as the value of a field of a config class, as one word for the table of keys.

A word is alternatives divided by ` | `: any, none, bool, str, dict, config (an object of another class), int and float
with bounds (`int>=1`), `list` and `list[WORD]`, `in(CONSTANTS)` as JSON, `name(A,B)` names of an enum in any case, and
`word(a,b)` words in any case with dashes for underscores.
"""

import ast
import json
from collections.abc import Iterator

from scripts.contractgen.annotations import Hint, enum_members, read_hints
from scripts.contractgen.config_classes import ConfigField
from scripts.contractgen.source_tree import Module, Named, SourceTree

ANY = "any"
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_CONVERTS = ("before", "plain")
"""Modes of a validator that may make something else of a value before its type is looked at."""


def value_word(tree: SourceTree, owner: Named, module: Module, field: ConfigField) -> str:
    """The word for a field's values; `any` where the source does not tell."""
    text = ast.unparse(field.annotation)
    if "SkipValidation" in text or "Callable" in text:
        return ANY
    hints = read_hints(tree, module, field.annotation, typing=True)
    converter = _converter(owner, field.name)
    words = [*_alternatives(tree, module, field, hints, converter)]
    if not words or ANY in words:
        return ANY
    return " | ".join(dict.fromkeys(words))


def _alternatives(
    tree: SourceTree, module: Module, field: ConfigField, hints: tuple[Hint, ...], converter: str | None
) -> Iterator[str]:
    bounds = "".join(f"{sign}{value}" for sign, value in _bounds(field))
    for hint in hints:
        match hint.kind:
            case "none" | "bool" | "str":
                yield hint.kind
            case "int" | "float":
                yield hint.kind + bounds
            case "dict" | "dict subclass":
                yield "dict"
            case "dataclass":
                yield "config"
            case "literal":
                yield _literal(hint, converter)
            case "enum":
                yield from _enum(tree, module, field, converter)
            case "list" | "tuple" | "set":
                inner = [*_alternatives(tree, module, _unbounded(field), hint.items, None)]
                yield f"list[{inner[0]}]" if len(inner) == 1 and inner[0] in ("int", "str", "float") else "list"
            case _:
                yield ANY
    if converter and not any(hint.kind in ("literal", "enum", "dataclass") for hint in hints):
        # A validator that splits a text makes a list of it; what others make cannot be told.
        yield "str" if ".split(" in converter else ANY
    if converter and any(hint.kind == "dataclass" for hint in hints) and "str" in converter:
        yield "str"


def _literal(hint: Hint, converter: str | None) -> str:
    if converter and ".lower()" in converter:
        return f"word({','.join(map(str, hint.options))})"
    return f"in({','.join(json.dumps(option) for option in hint.options)})"


def _enum(tree: SourceTree, module: Module, field: ConfigField, converter: str | None) -> Iterator[str]:
    for node in ast.walk(field.annotation):
        found = tree.lookup(module, node.id, True) if isinstance(node, ast.Name) else None
        if not found or not isinstance(found.node, ast.ClassDef):
            continue
        members = enum_members(found.node)
        constants = [value for _, value in members if isinstance(value, int if converter else int | str)]
        if converter:
            extra = ["AUTO"] if "'auto'" in converter else []
            yield f"name({','.join([*(name for name, _ in members), *extra])})"
        if constants:
            yield f"in({','.join(map(json.dumps, constants))})"
        if not converter and not constants:
            yield ANY


def _unbounded(field: ConfigField) -> ConfigField:
    return ConfigField(field.name, field.annotation, None, field.doc)


def _bounds(field: ConfigField) -> Iterator[tuple[str, str]]:
    calls = [field.default, *ast.walk(field.annotation)]
    for call in calls:
        if isinstance(call, ast.Call):
            for keyword in call.keywords:
                if keyword.arg in _BOUNDS and isinstance(keyword.value, ast.Constant | ast.UnaryOp):
                    yield _BOUNDS[keyword.arg], f"{ast.literal_eval(keyword.value):g}"


def _converter(owner: Named, name: str) -> str | None:
    """The text of the validator that may convert a field's value; None where there is none."""
    assert isinstance(owner.node, ast.ClassDef)
    for method in owner.node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        for decorator in method.decorator_list:
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "field_validator":
                names = [ast.literal_eval(argument) for argument in decorator.args]
                mode = next((ast.literal_eval(k.value) for k in decorator.keywords if k.arg == "mode"), "after")
                if mode in _CONVERTS and (name in names or "*" in names):
                    return ast.unparse(method)
    return None
