"""Type annotations as an argument parser would read them."""

import ast
from dataclasses import dataclass
from typing import Any

from scripts.contractgen.source_tree import Module, SourceTree

_SCALARS = ("bool", "int", "float", "str", "dict")
_COLLECTIONS = {"list": "list", "List": "list", "tuple": "tuple", "Tuple": "tuple", "set": "set", "Sequence": "list"}
_ALIASES = {"Dict": "dict", "Mapping": "dict"}


@dataclass(frozen=True)
class Hint:
    """One alternative of an annotation."""

    kind: str
    """bool, int, float, str, dict, dict subclass, none, literal, enum, dataclass, list, tuple, set or other."""
    options: tuple[Any, ...] = ()
    """The values of a literal, the member names of an enum."""
    items: tuple["Hint", ...] = ()
    """What a collection holds."""
    length: int | None = None
    """The length of a fixed tuple."""


def read_hints(tree: SourceTree, module: Module, node: ast.expr, typing: bool = False) -> tuple[Hint, ...]:
    """All alternatives of an annotation, aliases resolved."""
    match node:
        case ast.Constant(value=None):
            return (Hint("none"),)
        case ast.Constant(value=str(text)):
            return read_hints(tree, module, ast.parse(text, mode="eval").body, typing)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return read_hints(tree, module, left, typing) + read_hints(tree, module, right, typing)
        case ast.Name(id=name):
            return _named(tree, module, name, typing)
        case ast.Attribute(attr=name):
            return _named(tree, module, name, typing)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            return _subscript(tree, module, name, inner, typing)
    return (Hint("other"),)


def _named(tree: SourceTree, module: Module, name: str, typing: bool) -> tuple[Hint, ...]:
    name = _ALIASES.get(name, name)
    if name in _SCALARS:
        return (Hint(name),)
    found = tree.lookup(module, name, typing)
    if found is None:
        return (Hint("other"),)
    if isinstance(found.node, ast.ClassDef):
        return (_class_hint(found.node),)
    if isinstance(found.node, ast.expr):
        return read_hints(tree, found.module, found.node, typing)
    return (Hint("other"),)


def _class_hint(node: ast.ClassDef) -> Hint:
    bases = {_base_name(base) for base in node.bases}
    if any("Enum" in base for base in bases):
        return Hint("enum", options=tuple(name for name, _ in enum_members(node)))
    if "dict" in bases:
        return Hint("dict subclass")
    if is_dataclass(node):
        return Hint("dataclass")
    return Hint("other")


def _base_name(base: ast.expr) -> str:
    base = base.value if isinstance(base, ast.Subscript) else base
    return base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")


def is_dataclass(node: ast.ClassDef) -> bool:
    """Whether a class carries the decorator of a dataclass or of a vLLM config."""
    names = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    return any((d.id if isinstance(d, ast.Name) else getattr(d, "attr", "")) in ("dataclass", "config") for d in names)


def enum_members(node: ast.ClassDef) -> list[tuple[str, Any]]:
    """Public members of an enum with their values (None where the value is computed)."""
    return [
        (target.id, statement.value.value if isinstance(statement.value, ast.Constant) else None)
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and not target.id.startswith("_")
    ]


def _subscript(tree: SourceTree, module: Module, name: str, inner: ast.expr, typing: bool) -> tuple[Hint, ...]:
    elements = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name in ("Optional", "Union") and not typing:
        elements = [_FORWARD if _is_text(element) else element for element in elements]
    match name:
        case "Optional":
            return (*read_hints(tree, module, elements[0], typing), Hint("none"))
        case "Union":
            return tuple(hint for element in elements for hint in read_hints(tree, module, element, typing))
        case "Annotated" | "SkipValidation" | "InitVar" | "Final":
            return read_hints(tree, module, elements[0], typing)
        case "Literal":
            return (Hint("literal", options=_literal_options(tree, module, elements, typing)),)
        case _ if name in _COLLECTIONS:
            return (_collection(tree, module, _COLLECTIONS[name], elements, typing),)
        case _ if _ALIASES.get(name, name) == "dict":
            return (Hint("dict"),)
    return (Hint("other"),)


_FORWARD = ast.Name("ForwardRef")
"""A quoted name inside Optional or Union: at run time a forward reference that the parser cannot look into."""


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _collection(tree: SourceTree, module: Module, kind: str, elements: list[ast.expr], typing: bool) -> Hint:
    items = read_hints(tree, module, elements[0], typing)
    open_ended = any(isinstance(e, ast.Constant) and e.value is Ellipsis for e in elements)
    fixed = kind == "tuple" and not open_ended
    return Hint(kind, items=items, length=len(elements) if fixed else None)


def _literal_options(tree: SourceTree, module: Module, elements: list[ast.expr], typing: bool) -> tuple[Any, ...]:
    options: list[Any] = []
    for element in elements:
        if isinstance(element, ast.Constant):
            options.append(element.value)
            continue
        for hint in read_hints(tree, module, element, typing):
            options.extend(hint.options)
    return tuple(dict.fromkeys(options))
