"""The context that a config.json's rotary scaling makes of the stated number of positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.engines.stretched_context import WITHIN_STATED

ROPE_KEYS = ("rope_scaling", "rope_parameters")
_ANY_OTHER = (
    *("linear", "dynamic", "ntk", "yarn", "deepseek_yarn", "telechat3-yarn", "deepseek_llama_scaling"),
    *("mllama4", "xdrope", "proportional", "openpangu", "bailing_mrope"),
)
"""Further kinds that some release turns heads by (get_rope of vllm/model_executor/layers/rotary_embedding)."""
_NEED_FACTOR = ("linear", "ntk", "yarn", "deepseek_yarn", "telechat3-yarn", "deepseek_llama_scaling")
_LEAST_FACTOR, _MOST_FACTOR = 1e-4, 10_000
_MOST_POSITIONS = 2**32


def scaled_context(text: Mapping[str, Any], architecture: str, stated: int) -> int:
    """The longest context in tokens, as vLLM derives it (`_get_and_verify_max_len` in vllm/config/model.py).

    YaRN multiplies the original length, other kinds the stated one. Gemma 3 states its length after scaling.
    Raises ValueError for a factor or a length that no model has.
    """
    if architecture.startswith("Gemma3"):
        return stated
    lengths = [length for rope in _scalings(text) if (length := _scaled(rope, stated))]
    return max(lengths, default=stated)


def table_stretch(text: Mapping[str, Any], architecture: str, default: float) -> float:
    """How many times the stated positions the rotary table holds (vllm/model_executor/layers/rotary_embedding).

    Four times with sections for pictures (mrope), of which a partial rotation keeps its part; the factor of a linear
    scaling that the stated length already counts (Gemma 3); the architecture's `default` where the file says nothing.
    """
    ropes = _scalings(text)
    if any("mrope_section" in rope for rope in ropes):
        parts = [_figure(source, "partial_rotary_factor") for source in (*ropes, text)]
        return 4.0 * next(filter(None, parts), 1.0)
    if architecture.startswith("Gemma3"):
        ropes = [rope for rope in ropes if rope.get("rope_type", rope.get("type")) == "linear"]
        return max(filter(None, (_figure(rope, "factor") for rope in ropes)), default=float(default))
    return float(default) if not ropes else 1.0


def rope_faults(text: Mapping[str, Any], width: int | None) -> Iterator[str]:
    """What no rotation of heads has: a kind, a factor, a share, or sections of this width, that are none.

    Raises ValueError for a value of another kind.
    """
    ropes = _scalings(text)
    for rope in ropes:
        kind = rope.get("rope_type", rope.get("type"))
        factor, original = _figure(rope, "factor"), _figure(rope, "original_max_position_embeddings")
        if kind is not None and kind not in (*WITHIN_STATED, *_ANY_OTHER):
            yield f"no release knows a rotary scaling of the kind {excerpt(repr(kind), 40)}"
        if factor is None and "factor" in rope and kind in _NEED_FACTOR:
            yield f"the rotary scaling is of the kind {kind} and has no factor"
        if factor is not None and not _LEAST_FACTOR <= factor <= _MOST_FACTOR:
            yield f"the rotary scaling has a factor of {factor:g}"
        if original is not None and not 0 < original <= _MOST_POSITIONS:
            yield f"the rotary scaling is of {original:g} positions"
    bases = (_figure(source, "rope_theta") for source in (*ropes, text))
    yield from (f"`rope_theta` is {base:g}" for base in bases if base is not None and not 0 < base < inf)
    shares = [share for source in (*ropes, text) if (share := _figure(source, "partial_rotary_factor")) is not None]
    if any(not 0 < share <= 1 for share in shares):
        yield f"a share of {shares[0]:g} of each head is rotated"
        return
    if width is None:
        return
    rotated = int(width * (shares[0] if shares else 1))
    for sections in (rope["mrope_section"] for rope in ropes if "mrope_section" in rope):
        whole = isinstance(sections, list | tuple) and all(type(part) is int and part >= 0 for part in sections)
        if not whole or 2 * sum(sections) != rotated:
            yield f"`mrope_section` does not fill half of the {rotated} elements that are rotated"


def _scaled(rope: Mapping[str, Any], stated: int) -> int | None:
    kind, factor = rope.get("rope_type", rope.get("type")), _figure(rope, "factor")
    if kind is not None and not isinstance(kind, str):
        raise ValueError("its type is not a text")
    original = _figure(rope, "original_max_position_embeddings")
    if kind in WITHIN_STATED or factor is None:
        return None
    base = original if kind == "yarn" and original is not None else stated
    if not (_LEAST_FACTOR <= factor <= _MOST_FACTOR and 0 < base <= _MOST_POSITIONS and factor * base >= 1):
        raise ValueError(f"a factor of {factor:g} over {base:g} positions is out of range")
    return int(factor * base)


def _scalings(text: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One mapping, or one for each type of layer."""
    found = next((found for key in ROPE_KEYS if (found := text.get(key))), None)
    if not isinstance(found, Mapping):
        return []
    if not {"rope_type", "type", "factor"}.isdisjoint(found):
        return [found]
    nested = [inner for inner in found.values() if isinstance(inner, Mapping)]
    return nested or [found]


def _figure(rope: Mapping[str, Any], key: str) -> float | None:
    """A number of a scaling; None where there is none. Raises ValueError for what is none."""
    value = rope.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"`{key}` is {excerpt(repr(value), 40)}, which is not a number")
    return value
