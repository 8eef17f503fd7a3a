"""What a release's `make_arg_parser` would register, found by following its statements without running them."""

import ast
from itertools import permutations
from typing import Any

from scripts.contractgen.annotations import enum_members, read_hints
from scripts.contractgen.config_classes import (
    UNKNOWN,
    Keywords,
    class_fields,
    default_value,
    field_keywords,
    find_method,
)
from scripts.contractgen.parser_habits import ParserHabits
from scripts.contractgen.source_tree import Module, Named, SourceTree

Registered = list[tuple[tuple[str, ...], Keywords]]
_TYPE_NAMES = {
    "human_readable_int": "size",
    "human_readable_int_or_auto": "size_or_auto",
    "nullable_str": "optional str",
    "nullable_kvs": "pairs",
    "StoreBoolean": "truth",
    "LoRAParserAction": "adapter",
    "PromptAdapterParserAction": "named",
    "union_dict_and_str": "json_or_text",
}
_JSON_PARSERS = ("from_json", "from_cli", "loads")


class ParserWalk:
    """Follows parser-building functions and records each `add_argument` call."""

    def __init__(self, tree: SourceTree, habits: ParserHabits) -> None:
        self.tree = tree
        self.habits = habits
        self.registered: Registered = []

    def run(self, module: Module, function: ast.FunctionDef, owner: Named | None, names: dict[str, Any]) -> Any:
        """Walks one function; returns what it returns, where that is known."""
        frame = _Frame(self, module, owner, dict(names))
        return frame.block(function.body)

    def keywords_of(self, found: Named) -> dict[str, Keywords]:
        """The counterpart of the release's `get_kwargs`."""
        return {
            name: field_keywords(self.tree, module, field, self.habits)
            for name, (module, field) in class_fields(self.tree, found).items()
        }


class _Frame:
    """One function under way: its names and the class it belongs to."""

    def __init__(self, walk: ParserWalk, module: Module, owner: Named | None, names: dict[str, Any]) -> None:
        self.walk, self.module, self.owner, self.names = walk, module, owner, names

    def block(self, body: list[ast.stmt]) -> Any:
        result: Any = UNKNOWN
        for node in body:
            match node:
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, self.value(value))
                case ast.AugAssign(target=target, op=ast.Add(), value=value):
                    self.augment(target, self.value(value))
                case ast.Delete(targets=targets):
                    for target in targets:
                        self.delete(target)
                case ast.Expr(value=ast.Call() as call):
                    self.call(call)
                case ast.If():
                    self.block(node.body)
                case ast.For():
                    self.loop(node)
                case ast.Return(value=ast.expr() as value):
                    result = self.value(value)
        return result

    def assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = value
            case ast.Subscript(value=inner, slice=key):
                holder = self.value(inner)
                if isinstance(holder, dict):
                    holder[self.value(key)] = value

    def augment(self, target: ast.expr, value: Any) -> None:
        current = self.value(target)
        if isinstance(current, list) and isinstance(value, list):
            current.extend(value)
        elif not isinstance(current, str):
            self.assign(target, UNKNOWN)

    def delete(self, target: ast.expr) -> None:
        if isinstance(target, ast.Subscript):
            holder = self.value(target.value)
            if isinstance(holder, dict):
                holder.pop(self.value(target.slice), None)

    def loop(self, node: ast.For) -> None:
        match node.iter, node.target:
            case (
                ast.Call(func=ast.Attribute(value=iterated, attr="items")),
                ast.Tuple(elts=[ast.Name(id=key), ast.Name(id=value)]),
            ):
                holder = self.value(iterated)
                for name, keywords in holder.items() if isinstance(holder, dict) else ():
                    self.names.update({key: name, value: keywords})
                    self.block(node.body)
            case ast.List(elts=rows), ast.Tuple(elts=targets):
                for row in rows:
                    for target, element in zip(targets, row.elts if isinstance(row, ast.Tuple) else (), strict=False):
                        self.assign(target, self.value(element))
                    self.block(node.body)

    def call(self, node: ast.Call) -> Any:
        match node.func:
            case ast.Attribute(attr="add_argument"):
                return self.register(node)
            case ast.Attribute(value=holder, attr="remove"):
                values, unwanted = self.value(holder), self.value(node.args[0])
                if isinstance(values, list) and unwanted in values:
                    values.remove(unwanted)
                return None
            case ast.Attribute(value=holder, attr="pop"):
                found = self.value(holder)
                return found.pop(self.value(node.args[0]), []) if isinstance(found, dict) else UNKNOWN
            case ast.Attribute(value=receiver, attr=method):
                return self.method(receiver, method, node)
            case ast.Name(id=name):
                return self.function(name, node)
        return UNKNOWN

    def method(self, receiver: ast.expr, name: str, node: ast.Call) -> Any:
        match receiver:
            case ast.Name(id="cls"):
                owner = self.owner
            case ast.Name(id=class_name):
                owner = self.walk.tree.lookup(self.module, class_name)
            case ast.Call(func=ast.Name(id="super")):
                owner = self.parent()
            case _:
                owner = None
        found = find_method(self.walk.tree, owner, name) if owner else None
        if found is None:
            return UNKNOWN
        holder, function = found
        parameters = [arg.arg for arg in function.args.args if arg.arg != "cls"]
        names = dict(zip(parameters, map(self.value, node.args), strict=False))
        bound = self.owner if isinstance(receiver, ast.Call) else owner
        return _Frame(self.walk, holder.module, bound, {**names, "__class__": holder}).block(function.body)

    def parent(self) -> Named | None:
        holder = self.names.get("__class__", self.owner)
        if holder is None or not isinstance(holder.node, ast.ClassDef):
            return None
        bases = [base.id for base in holder.node.bases if isinstance(base, ast.Name)]
        return self.walk.tree.lookup(holder.module, bases[0]) if bases else None

    def function(self, name: str, node: ast.Call) -> Any:
        if name == "get_kwargs":
            target = node.args[0]
            found = self.owner if isinstance(target, ast.Name) and target.id == "cls" else None
            found = found or (self.walk.tree.lookup(self.module, target.id) if isinstance(target, ast.Name) else None)
            return self.walk.keywords_of(found) if found else {}
        if name == "get_args":
            hints = read_hints(self.walk.tree, self.module, node.args[0], typing=True)
            return [option for hint in hints for option in hint.options]
        if name == "optional_type":
            inner = self.value(node.args[0])
            return f"optional {inner}" if isinstance(inner, str) else "optional str"
        if name in ("list", "sorted"):
            values = self.value(node.args[0])
            return sorted(values) if name == "sorted" and isinstance(values, list) else values
        return UNKNOWN

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.name(name)
            case ast.List(elts=elements):
                return self.elements(elements)
            case ast.Dict():
                return self.mapping(node)
            case ast.Subscript(value=inner, slice=key):
                holder = self.value(inner)
                return holder.get(self.value(key), UNKNOWN) if isinstance(holder, dict) else UNKNOWN
            case ast.Call():
                return self.call(node)
            case ast.JoinedStr(values=parts):
                return self.joined(parts)
            case ast.IfExp(body=body):
                return self.value(body)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                both = self.value(left), self.value(right)
                return both[0] + both[1] if all(isinstance(one, list) for one in both) else UNKNOWN
            case ast.ListComp():
                return self.comprehension(node)
            case ast.Lambda(body=body):
                return "lower" if "lower()" in ast.unparse(body) else "str"
            case ast.Attribute():
                return self.attribute(node)
        return UNKNOWN

    def mapping(self, node: ast.Dict) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            inner = self.value(value)
            if key is None:
                merged.update(inner if isinstance(inner, dict) else {})
            else:
                merged[self.value(key)] = inner
        return merged

    def joined(self, parts: list[ast.expr]) -> Any:
        texts = [self.value(part.value if isinstance(part, ast.FormattedValue) else part) for part in parts]
        return "".join(texts) if all(isinstance(text, str) for text in texts) else UNKNOWN

    def name(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name in ("str", "int", "float"):
            return name
        if name in _TYPE_NAMES:
            return _TYPE_NAMES[name]
        found = self.walk.tree.lookup(self.module, name)
        if found is None or not isinstance(found.node, ast.expr):
            return "str" if found is not None and isinstance(found.node, ast.FunctionDef) else UNKNOWN
        known = default_value(self.walk.tree, found.module, found.node)
        return _Frame(self.walk, found.module, None, {}).value(found.node) if known is UNKNOWN else known

    def elements(self, nodes: list[ast.expr]) -> list[Any]:
        values: list[Any] = []
        for node in nodes:
            value = self.value(node.value if isinstance(node, ast.Starred) else node)
            values.extend(value if isinstance(node, ast.Starred) and isinstance(value, list) else [value])
        return values

    def attribute(self, node: ast.Attribute) -> Any:
        text = ast.unparse(node)
        if node.attr in _JSON_PARSERS:
            return "literal" if self.reads_literals(node) else "json"
        if text == "argparse.BooleanOptionalAction":
            return "boolean"
        if text == "current_platform.device_type":
            return "cuda"
        return default_value(self.walk.tree, self.module, node)

    def reads_literals(self, node: ast.Attribute) -> bool:
        """Whether a class method parses Python's literals instead of JSON's, as 0.8 does for its compilation config."""
        owner = self.walk.tree.lookup(self.module, ast.unparse(node.value))
        found = find_method(self.walk.tree, owner, node.attr) if owner else None
        return found is not None and "literal_eval" in ast.unparse(found[1])

    def comprehension(self, node: ast.ListComp) -> Any:
        match node.generators[0].iter:
            case ast.Name(id=name) if found := self.walk.tree.lookup(self.module, name):
                if isinstance(found.node, ast.ClassDef):
                    return sorted(str(value) for _, value in enum_members(found.node))
            case ast.Call(func=ast.Name(id="permutations"), args=[inner, *_]):
                values = self.value(inner)
                return [",".join(pair) for pair in permutations(values, r=2)] if isinstance(values, list) else UNKNOWN
        return UNKNOWN

    def register(self, node: ast.Call) -> None:
        names: list[str] = []
        for arg in node.args:
            value = self.value(arg.value) if isinstance(arg, ast.Starred) else self.value(_dashed(arg))
            names.extend(value if isinstance(value, list) else [value] if isinstance(value, str) else [])
        keywords: Keywords = {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is None:
                keywords.update(value if isinstance(value, dict) else {})
            else:
                keywords[keyword.arg] = value
        names = [name.replace("_", "-") if name.startswith("--") else name for name in names]
        self.walk.registered.append((tuple(names), keywords))


def _dashed(node: ast.expr) -> ast.expr:
    """The f-string `f"--{key.replace('_', '-')}"` without its method call, which the caller applies itself."""
    if isinstance(node, ast.JoinedStr):
        parts = [
            ast.FormattedValue(part.value.func.value, part.conversion)
            if isinstance(part, ast.FormattedValue)
            and isinstance(part.value, ast.Call)
            and isinstance(part.value.func, ast.Attribute)
            and part.value.func.attr == "replace"
            else part
            for part in node.values
        ]
        return ast.JoinedStr(parts)
    return node
