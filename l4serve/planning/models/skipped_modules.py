"""Which modules of a quantised checkpoint keep the plain dtype, as each method of the engine reads the file's list."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import translate
from functools import cache
from itertools import accumulate

_KEYS = ("ignore", "exclude_modules", "modules_to_not_convert", "ignored_layers", "llm_int8_skip_modules")
"""Keys under which files list them."""


def listed_modules(config: Mapping[str, object]) -> tuple[str, ...]:
    """The modules that a quantization_config leaves out. Raises ValueError for what is no list that can be read."""
    key = next((key for key in _KEYS if config.get(key)), None)
    if key is None:
        return ()
    names = config[key]
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"`{key}` is not a list of names")
    if len(names) > _MOST:
        raise ValueError(f"`{key}` has {len(names)} names, more than any checkpoint")
    for name in names:
        if name.startswith("re:"):
            _pattern(name[3:])
    return tuple(names)


_LAYER = re.compile(r"(?<=layers\.)\d+(?=\.)")


def module_of_all_layers(name: str) -> str:
    """A module's name with `*` for its layer's number; of a mixture's experts that of all of them."""
    head, experts, _ = _LAYER.sub("*", name, count=1).partition(".experts")
    return head + experts


def skipper(method: str, names: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a module, by its full name, is left out by a list that this method reads."""
    return next((style for words, style in _STYLES if method.startswith(words)), _same)(names)


def _modelopt(names: tuple[str, ...]) -> Callable[[str], bool]:
    """A part of the name, or a wildcard; experts also where a name below them is listed.

    https://github.com/vllm-project/vllm/blob/v0.26.0/vllm/model_executor/layers/quantization/modelopt.py#L147
    """
    wild = [re.compile(translate(name)) for name in names if _WILD & set(name)]
    within = _experts_of(names)
    return lambda module: any(name in module for name in names) or any(w.match(module) for w in wild) or within(module)


def _compressed(names: tuple[str, ...]) -> Callable[[str], bool]:
    """Exact, or a regular expression after `re:` from the name's start.

    https://github.com/vllm-project/vllm/blob/v0.26.0/vllm/model_executor/layers/quantization/compressed_tensors/utils.py#L105
    """
    patterns = [_pattern(name[3:]) for name in names if name.startswith("re:")]
    exact = frozenset(names)
    return lambda module: module in exact or any(pattern.match(module) for pattern in patterns)


def _part(names: tuple[str, ...]) -> Callable[[str], bool]:
    """A part of the name.

    https://github.com/vllm-project/vllm/blob/v0.26.0/vllm/model_executor/layers/quantization/auto_awq.py#L291
    """
    return lambda module: any(name in module for name in names)


def _branch(names: tuple[str, ...]) -> Callable[[str], bool]:
    """A word of the name, or all that lies below a module.

    https://github.com/vllm-project/vllm/blob/v0.26.0/vllm/model_executor/layers/quantization/bitsandbytes.py#L178
    """
    exact = frozenset(names)

    def skips(module: str) -> bool:
        words = module.split(".")
        return bool(exact & {*words, *accumulate(words, "{}.{}".format)})

    return skips


def _same(names: tuple[str, ...]) -> Callable[[str], bool]:
    """Exact; experts also where a name below them is listed.

    https://github.com/vllm-project/vllm/blob/v0.26.0/vllm/model_executor/layers/quantization/fp8.py#L179
    """
    exact, within = frozenset(names), _experts_of(names)
    return lambda module: module in exact or within(module)


def _experts_of(names: tuple[str, ...]) -> Callable[[str], bool]:
    listed = [name for name in names if "experts" in name]
    return lambda module: module.endswith(".experts") and any(module in name for name in listed)


_STYLES = (
    ("modelopt", _modelopt),
    ("compressed-tensors", _compressed),
    ("awq", _part),
    ("bitsandbytes", _branch),
)
_WILD = frozenset("*?[")
_MOST = 50_000
"""Names in a list; the longest published ones have a few thousand."""


@cache
def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"`re:{text}` in its list of modules is no regular expression: {error}") from None
