"""The longest context that a release takes of a model: its own, or what a command line or a variable makes of it."""

from collections.abc import Collection, Mapping
from typing import Any

from packaging.version import Version

from l4serve.engines.arguments.checking import read_options
from l4serve.engines.arguments.config_values import read_object
from l4serve.engines.case import Case

_UNLIMITED = "VLLM_ALLOW_LONG_MAX_MODEL_LEN"
_ROPES = ("rope_parameters", "rope_scaling")
_SCALED_FROM = "original_max_position_embeddings"
WITHIN_STATED = ("su", "longrope", "llama3", "default", "mrope")
"""Kinds of scaling that `max_position_embeddings` already counts."""
_YARN_WITHIN_STATED = Version("0.30.0")
"""First release for which that counts YaRN too: before, its factor stretched the original length."""
_YARNS = ("yarn", "deepseek_yarn", "deepseek_llama_scaling")


def context_limit(case: Case) -> int | None:
    """In tokens; None where there is no limit, or nobody can tell it from here.

    Source: _get_and_verify_max_len of vllm/config/model.py.
    """
    own = case.model.max_position_embeddings
    if own is None or case.extra_env.get(_UNLIMITED, "").strip().lower() in ("1", "true"):
        return None
    for option in read_options(case.extra_args, case.contract):
        name = option.flag.name if option.flag else ""
        if name not in ("--hf-overrides", "--rope-scaling"):
            continue
        asked = None if option.key or not option.values else read_object(option.values[0])
        if asked is None or own is None:
            return None
        within = (*WITHIN_STATED, *(_YARNS if case.version >= _YARN_WITHIN_STATED else ()))
        own = _stretched(own, {"rope_scaling": asked} if name == "--rope-scaling" else asked, within)
    return own


def _stretched(own: int, overrides: Mapping[str, Any], within_stated: Collection[str]) -> int | None:
    """What overrides of config.json make of a context; None for what is no context."""
    stated = overrides.get("max_position_embeddings", own)
    rope: Any = next((overrides[key] for key in _ROPES if key in overrides), None)
    if (
        not isinstance(stated, int)
        or "text_config" in overrides
        or (rope is not None and not isinstance(rope, Mapping))
    ):
        return None
    kind = None if rope is None else rope.get("rope_type", rope.get("type"))
    if rope is None or kind in within_stated:
        return stated if stated > 0 else None
    factor = rope.get("factor", 1)
    base = rope.get(_SCALED_FROM, stated) if kind == "yarn" else stated
    length = int(base * factor) if isinstance(factor, int | float) and isinstance(base, int) else 0
    return length if length > 0 else None
