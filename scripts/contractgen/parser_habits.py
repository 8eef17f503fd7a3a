"""How a release derives an option from a config field: its own `get_kwargs` changed from release to release."""

import ast
from dataclasses import dataclass

from scripts.contractgen.source_tree import Module, SourceTree

ARGUMENTS = "vllm.engine.arg_utils"
_DERIVING = ("get_kwargs", "_compute_kwargs")


@dataclass(frozen=True)
class ParserHabits:
    """What the release does with a field's type."""

    sizes: frozenset[str] = frozenset()
    """Fields whose integers may carry a suffix such as 1K."""
    sizes_or_auto: frozenset[str] = frozenset()
    """Fields that besides take `auto`."""
    dict_subclasses: bool = False
    """Whether a subclass of dict is read as JSON, like a dict."""
    dataclasses: bool = False
    """Whether a dataclass is read as JSON."""
    dict_or_text: bool = False
    """Whether a dict beside another type may be plain text."""
    pairs: bool = False
    """Whether JSON may be written as KEY=NUMBER,KEY=NUMBER."""
    open_literals: bool = False
    """Whether literals beside str are only named, not enforced."""
    optional_flags: bool = False
    """Whether a bool beside str takes an optional value."""
    bare: bool = False
    """Whether only a type is derived, and text stands for whatever may be None: 0.8.4 alone."""
    none_is_choice: bool = False
    """Whether None among choices is the value and not its text, which no value ever equals."""


def read_habits(tree: SourceTree) -> ParserHabits:
    """The habits of a release, from the functions that derive options."""
    module = tree.module(ARGUMENTS)
    assert isinstance(module, Module)
    functions = [node for node in module.tree.body if isinstance(node, ast.FunctionDef)]
    deriving = [node for node in functions if node.name in _DERIVING]
    text = "\n".join(ast.unparse(node) for node in functions)
    derived = "\n".join(ast.unparse(node) for node in deriving)
    return ParserHabits(
        sizes=_fields_of(deriving, "human_readable_int"),
        sizes_or_auto=_fields_of(deriving, "human_readable_int_or_auto"),
        dict_subclasses="is_dict_subclass" in derived,
        dataclasses="is_dataclass" in derived,
        dict_or_text="union_dict_and_str" in derived,
        pairs=("parse_type" in derived or "return_type is json.loads" in text) and "nullable_kvs" in text,
        open_literals="metavar" in text,
        optional_flags="type_hints == {bool, str, type(None)}" in derived,
        bare=not deriving and any(_defines(node, "get_kwargs") for node in ast.walk(module.tree)),
        none_is_choice=".append(None)" in derived,
    )


def _fields_of(functions: list[ast.FunctionDef], parser: str) -> frozenset[str]:
    """Fields that the functions give a parser to, in a condition over `name`."""
    named = {
        target.id: _texts(node.value)
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    fields: set[str] = set()
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.If) and any(_gives(statement, parser) for statement in node.body):
                compared = node.test.comparators if isinstance(node.test, ast.Compare) else []
                for operand in compared:
                    fields |= named.get(operand.id, set()) if isinstance(operand, ast.Name) else _texts(operand)
    return frozenset(fields)


def _defines(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == name


def _gives(statement: ast.stmt, parser: str) -> bool:
    value = statement.value if isinstance(statement, ast.Assign) else None
    return isinstance(value, ast.Name) and value.id == parser


def _texts(node: ast.expr) -> set[str]:
    return {c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str)}
