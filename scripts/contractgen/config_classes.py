"""The fields of a vLLM config class as the keyword arguments its parser would register them with."""

import ast
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from scripts.contractgen.annotations import Hint, enum_members, read_hints
from scripts.contractgen.parser_habits import ParserHabits
from scripts.contractgen.source_tree import Module, Named, SourceTree

UNKNOWN = object()
"""A value that only running the program could tell."""

Keywords = dict[str, Any]


@dataclass(frozen=True)
class ConfigField:
    """One field of a config class, with the docstring below it."""

    name: str
    annotation: ast.expr
    default: ast.expr | None
    doc: str


def class_fields(tree: SourceTree, found: Named) -> dict[str, tuple[Module, ConfigField]]:
    """Fields of a class and its bases, in the order a dataclass would have them."""
    assert isinstance(found.node, ast.ClassDef)
    fields: dict[str, tuple[Module, ConfigField]] = {}
    for base in found.node.bases:
        parent = tree.lookup(found.module, base.id) if isinstance(base, ast.Name) else None
        if parent and isinstance(parent.node, ast.ClassDef):
            fields.update(class_fields(tree, parent))
    body = found.node.body
    for i, node in enumerate(body):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name) or _is_class_var(node):
            continue
        doc = body[i + 1] if i + 1 < len(body) else None
        text = doc.value.value if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) else ""
        fields[node.target.id] = (
            found.module,
            ConfigField(node.target.id, node.annotation, node.value, str(text)),
        )
    return fields


def _is_class_var(node: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(node.annotation)


def field_keywords(tree: SourceTree, module: Module, field: ConfigField, habits: ParserHabits) -> Keywords:
    """`type`, `choices`, `nargs`, `action` and `default` as the release's own `get_kwargs` derives them."""
    hints = read_hints(tree, module, field.annotation)
    keywords: Keywords = {"help": field.doc, "default": default_value(tree, module, field.default)}
    keywords.update(_by_type(hints, field.name, habits))
    kinds = {hint.kind for hint in hints}
    if "none" in kinds and "bool" not in kinds:
        keywords["optional"] = True
        if keywords.get("choices"):
            keywords["choices"] = [*keywords["choices"], "None"]
            keywords["optional"] = habits.none_is_choice
    if not keywords.get("choices"):
        values = _typing_values(read_hints(tree, module, field.annotation, typing=True))
        if values:
            keywords["values"] = values
    return keywords


def _by_type(hints: tuple[Hint, ...], name: str, habits: ParserHabits) -> Keywords:
    kinds = {_kind(hint, habits): hint for hint in hints}
    if habits.bare:
        scalar = next(iter(kinds)) if len(kinds) == 1 else "str"
        return {} if scalar == "bool" else {"type": scalar if scalar in ("int", "float") else "str"}
    if "dataclass" in kinds and habits.dataclasses:
        return {"type": "json"}
    if kinds.keys() == {"bool", "str", "none"} and habits.optional_flags:
        return {"type": "str", "nargs": "?"}
    if "bool" in kinds:
        return {"action": "boolean"}
    if "literal" in kinds:
        return _literal(kinds["literal"], free="str" in kinds and habits.open_literals)
    for collection in ("tuple", "list", "set"):
        if collection in kinds:
            return _collection(kinds[collection])
    if "int" in kinds:
        if name in habits.sizes_or_auto:
            return {"type": "size_or_auto"}
        return {"type": "size" if name in habits.sizes else "int"}
    if "float" in kinds:
        return {"type": "float"}
    if "dict" in kinds:
        return _mapping(kinds.keys(), habits)
    return {"type": "str"}


def _kind(hint: Hint, habits: ParserHabits) -> str:
    if hint.kind == "dict subclass":
        return "dict" if habits.dict_subclasses else "other"
    return hint.kind


def _mapping(kinds: Collection[str], habits: ParserHabits) -> Keywords:
    if not habits.dict_or_text:
        return {"type": "json_or_pairs" if habits.pairs else "json", "optional": True}
    if {"str", "other", "enum"} & set(kinds):
        return {"type": "json_or_text"}
    return {"type": "json_or_pairs" if habits.pairs else "json"}


def _literal(hint: Hint, free: bool) -> Keywords:
    options = list(hint.options)
    kind = type(options[0]).__name__
    return {"type": kind, "values" if free else "choices": sorted(options)}


def _collection(hint: Hint) -> Keywords:
    keywords: Keywords = {"nargs": hint.length if hint.length else "+"}
    literal = next((item for item in hint.items if item.kind == "literal"), None)
    if literal is not None:
        return {**keywords, **_literal(literal, free=False)}
    kinds = [item.kind for item in hint.items]
    return {**keywords, "type": kinds[0] if len(kinds) == 1 and kinds[0] in ("int", "float", "str") else "str"}


def _typing_values(hints: tuple[Hint, ...]) -> list[Any]:
    return sorted({str(o) for hint in hints if hint.kind in ("literal", "enum") for o in hint.options})


def default_value(tree: SourceTree, module: Module, node: ast.expr | None) -> Any:
    """A field's default where it can be told from the text, else UNKNOWN."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [default_value(tree, module, element) for element in elements]
        case ast.Dict(keys=[]):
            return {}
        case ast.Name(id=name):
            found = tree.lookup(module, name)
            if found is None or not isinstance(found.node, ast.expr):
                return UNKNOWN
            return default_value(tree, found.module, found.node)
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id=owner), attr=name), attr="value"):
            return _class_default(tree, module, owner, name)
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return _class_default(tree, module, owner, name)
        case ast.Call(func=ast.Name(id="field" | "Field"), args=args, keywords=keywords):
            return _field_call(tree, module, args, keywords)
    return UNKNOWN


def _class_default(tree: SourceTree, module: Module, owner: str, name: str) -> Any:
    found = tree.lookup(module, owner)
    if found is None or not isinstance(found.node, ast.ClassDef):
        return UNKNOWN
    members = dict(enum_members(found.node))
    if isinstance(members.get(name), str):
        return members[name]
    entry = class_fields(tree, found).get(name)
    if entry is None or entry[1].default is None:
        return UNKNOWN
    return default_value(tree, entry[0], entry[1].default)


def _field_call(tree: SourceTree, module: Module, args: list[ast.expr], keywords: list[ast.keyword]) -> Any:
    named = {keyword.arg: keyword.value for keyword in keywords}
    if "default" in named or args:
        return default_value(tree, module, named.get("default", args[0] if args else None))
    match named.get("default_factory"):
        case ast.Name(id="list"):
            return []
        case ast.Name(id="dict"):
            return {}
        case ast.Lambda(body=body):
            return default_value(tree, module, body)
    return UNKNOWN


def find_method(tree: SourceTree, owner: Named, name: str) -> tuple[Named, ast.FunctionDef] | None:
    """A method of a class or of its bases, with the class that holds it."""
    if not isinstance(owner.node, ast.ClassDef):
        return None
    for node in owner.node.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return owner, node
    for base in owner.node.bases:
        parent = tree.lookup(owner.module, base.id) if isinstance(base, ast.Name) else None
        found = find_method(tree, parent, name) if parent else None
        if found:
            return found
    return None
