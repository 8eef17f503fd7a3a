"""The flags of vLLM's OpenAI-compatible server, from a source tree."""

import ast
import re
from typing import Any

from scripts.contractgen.config_classes import UNKNOWN, Keywords
from scripts.contractgen.parser_habits import read_habits
from scripts.contractgen.parser_walk import ParserWalk
from scripts.contractgen.source_tree import SourceTree

SERVER_ARGUMENTS = (
    "vllm.entrypoints.common.cli_args",
    "vllm.entrypoints.launchers.cli_args",
    "vllm.entrypoints.openai.cli_args",
)
"""Where `make_arg_parser` lives, the newest place first."""

_REGISTRIES = {"--tool-call-parser": "ToolParserManager", "--reasoning-parser": "ReasoningParserManager"}
"""Options whose values are registered by name, with the class that keeps them."""

_REMOVAL = re.compile(r"removed\s+in\s+(?:version\s+)?v?(\d+\.\d+(?:\.\d+)?)", re.IGNORECASE)


def read_flags(tree: SourceTree) -> dict[str, dict[str, Any]]:
    """Every option the server's parser registers, keyed by its first long name."""
    modules = (tree.module(name) for name in SERVER_ARGUMENTS)
    module = next(found for found in modules if found and "make_arg_parser" in found.runtime)
    walk = ParserWalk(tree, read_habits(tree))
    function = module.runtime["make_arg_parser"]
    assert isinstance(function, ast.FunctionDef)
    walk.run(module, function, None, {})
    inverse = _inverse_prefixes(tree)
    flags: dict[str, dict[str, Any]] = {}
    for names, keywords in walk.registered:
        options = [name for name in names if name.startswith("-")]
        if options:
            name, flag = _flag(options, keywords, inverse)
            flags[name] = flag
            if name in _REGISTRIES and (known := _registered(tree, _REGISTRIES[name])):
                flag["choices" if "choices" in keywords else "values"] = known
            if "choices" in flag and "None" not in flag["choices"]:
                flag.pop("optional", None)  # the text None becomes no value, which is none of the choices
    return dict(sorted(flags.items()))


def reads_dotted_keys(tree: SourceTree) -> bool:
    """Whether the release's parser takes --option.key=value for a key of a JSON option."""
    for name in ("vllm.utils.argparse_utils", "vllm.utils"):
        module = tree.module(name)
        parser = module.runtime.get("FlexibleArgumentParser") if module else None
        if isinstance(parser, ast.ClassDef):
            return "create_nested_dict" in ast.unparse(parser)
    return False


def _registered(tree: SourceTree, manager: str) -> list[str]:
    """Names of the parsers that a manager class knows: those of its decorators, or of the tables for lazy loading."""
    names: set[str] = set()
    for module in tree.modules_under("vllm", containing=f"{manager}.register_"):
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="register_module", value=ast.Name(id=owner)), args=args):
                    if owner == manager:
                        names |= {text for arg in args for text in _texts(arg)}
                case ast.Assign(targets=[ast.Name(id=table)], value=ast.Dict(keys=keys)):
                    if table.endswith("_PARSERS_TO_REGISTER"):
                        names |= {text for key in keys if key for text in _texts(key)}
    return sorted(names)


def _texts(node: ast.expr) -> list[str]:
    constants = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return [c.value for c in constants if isinstance(c, ast.Constant) and isinstance(c.value, str)]


def _inverse_prefixes(tree: SourceTree) -> dict[str, str]:
    """Prefixes that the release's own parser turns into their opposite to say no; empty where it only knows --no-."""
    module = tree.module("vllm.utils.argparse_utils")
    for node in ast.walk(module.tree) if module else ():
        match node:
            case ast.Assign(targets=[ast.Name(id="_inverse_prefixes")], value=ast.Dict() as table):
                prefixes: dict[str, str] = ast.literal_eval(table)
                return prefixes
    return {}


def _inverses(options: list[str], inverse: dict[str, str]) -> list[str]:
    return [
        opposite + option.removeprefix(prefix)
        for option in options
        for prefix, opposite in inverse.items()
        if option.startswith(prefix)
    ]


def _flag(options: list[str], keywords: Keywords, inverse: dict[str, str]) -> tuple[str, dict[str, Any]]:
    name = next((option for option in options if option.startswith("--")), options[0])
    flag: dict[str, Any] = {"type": _type(keywords)}
    aliases = [option for option in options if option != name]
    if aliases:
        flag["aliases"] = aliases
    if keywords.get("action") == "boolean":
        negations = [*_inverses(options, inverse), *(f"--no-{o[2:]}" for o in options if o.startswith("--"))]
        flag["negation"], *others = negations
        if others:
            flag["otherNegations"] = others
    if keywords.get("action") == "append":
        flag["repeatable"] = True
    if "nargs" in keywords:
        flag["nargs"] = keywords["nargs"]
    for key in ("choices", "values"):
        values = keywords.get(key, UNKNOWN)
        if isinstance(values, list) and values and UNKNOWN not in values and "choices" not in flag:
            flag[key] = ["None" if value is None else value for value in values]
    if keywords.get("optional") or str(keywords.get("type")).startswith("optional "):
        flag["optional"] = True
    default = keywords.get("default")
    if default is not None and _plain(default):
        flag["default"] = default
    if deprecated := _deprecated(keywords):
        flag["deprecated"] = deprecated
    return name, flag


def _type(keywords: Keywords) -> str:
    action = keywords.get("action")
    if action == "boolean":
        return "bool"
    if action in ("truth", "adapter", "named"):
        return str(action)
    if action == "store_true":
        return "flag"
    kind = keywords.get("type", "str")
    return kind.removeprefix("optional ") if isinstance(kind, str) else "str"


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_plain, value))
    return value == {} or isinstance(value, bool | int | float | str)


def _deprecated(keywords: Keywords) -> str | None:
    text = keywords.get("help")
    text = text if isinstance(text, str) else ""
    marked = keywords.get("deprecated") is True or re.search(r"\bdeprecated\b", text[:200], re.IGNORECASE)
    if not marked:
        return None
    removal = _REMOVAL.search(text)
    return f"removal announced for {removal.group(1)}" if removal else "deprecated"
