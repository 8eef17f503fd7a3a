"""Storage formats of quantised weights and KV caches: `data/quantizations.json` read once."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.words.spelling import one_of
from l4serve.planning.memory.generations import MemoryModelError, parse_version
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.model_shape import ModelShape, QuantizationFacts


@frozen()
class WeightFormat:
    """How linear weights are stored. `bits` counts scales and zero points in.

    Kernels for experts may round the hidden and the intermediate size up to multiples (`expert_padding`); Triton does
    so with the inputs of each matrix, and with the intermediate size (`triton_padding`).
    """

    name: str
    bits: float
    online: bool
    unquantized: tuple[str, ...]
    expert_padding: tuple[int, int]
    triton_padding: tuple[int, int] | None


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = load_data(__file__, "quantizations.json")
    return table


def known_methods(engine: str) -> tuple[str, ...]:
    """Quantisation names that the engine accepts and this model can judge."""
    methods = _table()["methods"].items()
    return tuple(sorted(m.get("tgiName", name) for name, m in methods if engine in m["engines"]))


def dtype_bytes(dtype: str) -> int:
    """Bytes of one element. Raises MemoryModelError for an unknown name."""
    size = _table()["dtypeBytes"].get(dtype.removeprefix("torch."))
    if size is None:
        raise MemoryModelError(f"dtype {dtype!r} is unknown; {one_of(dtype, _table()['dtypeBytes'])}")
    return int(size)


def activation_dtype(model: ModelShape, options: ServingOptions) -> str:
    """The type of weights and activations that the engine runs in: a float32 checkpoint is served in 16 bits."""
    asked = options.dtype
    if asked not in (None, "auto"):
        return asked
    return "float16" if model.torch_dtype.removeprefix("torch.") == "float32" else model.torch_dtype


def kv_element_bytes(model: ModelShape, options: ServingOptions) -> int:
    """Bytes of one KV cache element."""
    kept = kept_cache_dtype(model, options)
    if kept == "auto":
        return dtype_bytes(activation_dtype(model, options))
    size = _table()["kvDtypeBytes"].get(kept)
    if size is None:
        remedy = one_of(kept, ("auto", *_table()["kvDtypeBytes"]))
        raise MemoryModelError(f"KV cache dtype {kept!r} is unknown; {remedy}")
    return int(size)


def kept_cache_dtype(model: ModelShape, options: ServingOptions) -> str:
    """The KV cache's type: a checkpoint may ask for one, which the flag overrules in most releases."""
    asked = options.kv_cache_dtype or "auto"
    if _narrowed(model, options) and (asked == "auto" or _overrules_the_flag(model, options)):
        return "fp8_e4m3"
    return asked


def _narrowed(model: ModelShape, options: ServingOptions) -> bool:
    """Whether the engine gives a checkpoint the cache of eight bits that its file asks for."""
    stored = model.quantization
    if stored is None or not stored.narrow_cache:
        return False
    entry = _table()["methods"].get(stored.method, {})
    since = entry.get("narrowCacheSince", {}).get(options.engine)
    if since is None or (model.mla is not None and not entry.get("narrowLatents")):
        return False
    return parse_version(options.engine_version) >= parse_version(since)


def _overrules_the_flag(model: ModelShape, options: ServingOptions) -> bool:
    """Whether what a checkpoint's file asks for wins over `--kv-cache-dtype`."""
    entry = _table()["methods"][model.quantization.method] if model.quantization else {}
    until = entry.get("narrowFirstUntil", {}).get(options.engine)
    return until is not None and parse_version(options.engine_version) < parse_version(until)


def state_element_bytes(model: ModelShape, options: ServingOptions) -> tuple[int, int]:
    """Bytes of one element of a linear-attention layer's convolution state, and of its recurrent state.

    The flag wins over the config.json, and where neither says anything both have the type of the activations.
    """
    plain = activation_dtype(model, options)
    convolved = _stated(options.mamba_cache_dtype) or plain
    file = model.linear_state.state_dtype if model.linear_state else None
    held = _stated(options.mamba_ssm_cache_dtype) or file or convolved
    return dtype_bytes(convolved), dtype_bytes(held)


def _stated(dtype: str | None) -> str | None:
    return None if dtype in (None, "auto") else dtype


def weight_format(model: ModelShape, options: ServingOptions) -> WeightFormat | None:
    """The format of the model's linear weights on the GPU, or None for the plain dtype.

    A checkpoint's own format wins over the flag, as in the engines. Raises MemoryModelError for an unknown method.
    """
    if model.quantization is None and options.quantization in (None, "none"):
        return None
    return _format(model.quantization, options.quantization, options.engine)


@lru_cache(maxsize=1024)
def _format(stored: QuantizationFacts | None, asked: str | None, engine: str) -> WeightFormat:
    method = stored.method if stored else _method_name(str(asked), engine)
    entry = _table()["methods"].get(method)
    if entry is None:
        remedy = one_of(method, known_methods(engine))
        raise MemoryModelError(f"quantization {method!r} is unknown to the memory model; {remedy}")
    bits = stored.bits if stored else entry["bits"]
    group = stored.group_size if stored and stored.group_size > 0 else entry["groupSize"]
    overhead = _group_bits(stored, entry) / group if group > 0 else 0.0
    unquantized = tuple(entry.get("unquantized") or (stored.unquantized if stored else ("embedding", "lm_head")))
    hidden, intermediate = entry.get("expertPadding", (1, 1))
    triton = entry.get("tritonPadding")
    return WeightFormat(
        name=method,
        bits=bits + overhead,
        online=entry["online"] and stored is None,
        unquantized=unquantized,
        expert_padding=(hidden, intermediate),
        triton_padding=(triton[0], triton[1]) if triton else None,
    )


def _group_bits(stored: QuantizationFacts | None, entry: dict[str, Any]) -> int:
    """Bits of one group's scale, and of its zero point where it has one."""
    if stored is not None and stored.floats:
        return int(entry.get("floatGroupBits", entry["groupBits"]))
    return min(int(entry["groupBits"]), 20) if stored is not None and stored.symmetric else int(entry["groupBits"])


def _method_name(asked: str, engine: str) -> str:
    for name, entry in _table()["methods"].items():
        if entry.get("tgiName") == asked and engine in entry["engines"]:
            return str(name)
    return asked
