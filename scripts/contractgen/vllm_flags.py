"""The flags of vLLM's OpenAI-compatible server, from a source tree."""

import ast
import re
from typing import Any

from scripts.contractgen.config_classes import UNKNOWN, Keywords
from scripts.contractgen.parser_walk import ParserWalk
from scripts.contractgen.source_tree import Module, SourceTree

ARGUMENTS = "vllm.engine.arg_utils"
SERVER_ARGUMENTS = ("vllm.entrypoints.common.cli_args", "vllm.entrypoints.openai.cli_args")
"""Where `make_arg_parser` lives, the newest place first."""

_REMOVAL = re.compile(r"removed\s+in\s+(?:version\s+)?v?(\d+\.\d+(?:\.\d+)?)", re.IGNORECASE)


def read_flags(tree: SourceTree) -> dict[str, dict[str, Any]]:
    """Every option the server's parser registers, keyed by its first long name."""
    module = next(found for name in SERVER_ARGUMENTS if (found := tree.module(name)))
    walk = ParserWalk(tree, _size_fields(tree))
    function = module.runtime["make_arg_parser"]
    assert isinstance(function, ast.FunctionDef)
    walk.run(module, function, None, {})
    flags: dict[str, dict[str, Any]] = {}
    for names, keywords in walk.registered:
        options = [name for name in names if name.startswith("-")]
        if options:
            name, flag = _flag(options, keywords)
            flags[name] = flag
    return dict(sorted(flags.items()))


def _size_fields(tree: SourceTree) -> frozenset[str]:
    """Fields whose integers may carry a suffix such as 1K; the marker size_or_auto says max_model_len takes `auto`."""
    module = tree.module(ARGUMENTS)
    assert isinstance(module, Module)
    function = module.runtime["_compute_kwargs"]
    assert isinstance(function, ast.FunctionDef)
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Set | ast.Tuple):
            texts = {e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)}
            names |= texts if "max_num_batched_tokens" in texts else set()
        if isinstance(node, ast.Name) and node.id == "human_readable_int_or_auto":
            names.add("size_or_auto")
    return frozenset(names)


def _flag(options: list[str], keywords: Keywords) -> tuple[str, dict[str, Any]]:
    name = next((option for option in options if option.startswith("--")), options[0])
    flag: dict[str, Any] = {"type": _type(keywords)}
    aliases = [option for option in options if option != name]
    if aliases:
        flag["aliases"] = aliases
    if keywords.get("action") == "boolean":
        flag["negation"] = "--no-" + name.removeprefix("--")
    if keywords.get("action") == "append":
        flag["repeatable"] = True
    if "nargs" in keywords:
        flag["nargs"] = keywords["nargs"]
    for key in ("choices", "values"):
        values = keywords.get(key, UNKNOWN)
        if isinstance(values, list) and values and UNKNOWN not in values:
            flag[key] = values
    if keywords.get("optional"):
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
    if action == "store_true":
        return "flag"
    kind = keywords.get("type", "str")
    return kind if isinstance(kind, str) else "str"


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
