"""What a config says of compilation, by its field and by extra arguments in any of their forms (vLLM)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from l4serve.config.keys.workload import Engine
from l4serve.engines.arguments.config_values import read_object

_OPTIONS = ("--compilation-config", "-cc", "-O")
_LEVELS = ("-O", "--optimization-level")
_SHORT = re.compile(r"-O(\d)")


def compilation(engine: Engine, extra_args: Iterable[str]) -> dict[str, Any]:
    """The stated keys of the compilation config, dots and underscores as they are; a level of -O is `level`."""
    field: Mapping[str, Any] | None = vars(engine).get("compilation_config")
    return {**(field or {}), **dict(compilation_keys(extra_args))}


def compilation_keys(argv: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """The same of a command line."""
    words = [*argv]
    for word, following in zip(words, [*words, ""][1:], strict=True):
        if short := _SHORT.fullmatch(word):
            yield "level", short.group(1)
            continue
        name, given, value = word.partition("=")
        option, _, key = name.partition(".")
        option, said = option.replace("_", "-"), value if given else following
        if key and option in _OPTIONS:
            yield key.replace("-", "_"), said
        elif option in _OPTIONS and said.lstrip().startswith("{"):
            yield from (read_object(said) or {}).items()
        elif option in _LEVELS:
            yield "level", said
