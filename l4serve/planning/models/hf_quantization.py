"""Reads the quantization_config of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from l4serve.planning.models.model_shape import QuantizationFacts
from l4serve.planning.models.skipped_modules import listed_modules, module_of_all_layers


def quantization_from_config(config: object) -> QuantizationFacts | None:
    """How the checkpoint is quantised, or None.

    Methods are named as vLLM names them (awq, gptq, fp8, compressed-tensors, bitsandbytes, mxfp4, ...).
    """
    if not isinstance(config, Mapping):
        return None
    stated = config.get("quant_method") or config.get("quant_algo") or ""
    if not isinstance(stated, str):
        raise ValueError("its method is not a text")
    method = stated.lower()
    if not method:
        return None
    if len(method) > 100:
        raise ValueError("its method has no name that an engine would know")
    found = _facts(config, method)
    skipped = tuple(name for name in listed_modules(config) if name not in _APART)
    return replace(found, skipped=skipped, narrow_cache=_narrows_cache(config))


_APART = ("lm_head", "*lm_head*", "embed_tokens", "model.embed_tokens")
"""Parts that lie outside the layers, and that are counted plain."""


def _facts(config: Mapping[str, Any], method: str) -> QuantizationFacts:
    """The facts of a file by its method, its list of modules left out."""
    if method in ("compressed-tensors", "compressed_tensors"):
        return _compressed_tensors(config)
    if method == "bitsandbytes":
        bits = 4.0 if config.get("load_in_4bit") else 8.0
        return QuantizationFacts(method=method, bits=bits, group_size=64 if bits == 4 else -1)
    if method == "modelopt" and config.get("quantized_layers"):
        return _mixed(config["quantized_layers"])
    if method == "modelopt" and "FP4" in str(config.get("quant_algo") or "").upper():
        return QuantizationFacts(method="modelopt_fp4", bits=4, group_size=int(config.get("group_size") or 16))
    if method in ("fp8", "fbgemm_fp8", "modelopt"):
        return QuantizationFacts(method=method, bits=8, group_size=_block(config.get("weight_block_size")))
    if method == "mxfp4":
        return QuantizationFacts(
            method=method, bits=4, group_size=32, unquantized=("embedding", "lm_head", "attention")
        )
    return QuantizationFacts(
        method=method.replace("_", "-") if method == "auto_round" else method,
        bits=float(_stated(config, 4, "bits", "w_bit")),
        group_size=int(_stated(config, -1, "group_size", "q_group_size")),
        symmetric=bool(config.get("sym", not config.get("zero_point", True))),
    )


def _mixed(layers: object) -> QuantizationFacts:
    """A file whose layers have formats of their own: four bits in groups of 16, or eight."""
    if not isinstance(layers, Mapping) or not all(isinstance(facts, Mapping) for facts in layers.values()):
        raise ValueError("`quantized_layers` is not an object of objects")
    bits = {module_of_all_layers(name): 4 if "FP4" in str(of.get("quant_algo")) else 8 for name, of in layers.items()}
    modules = tuple(sorted((name, width) for name, width in bits.items() if name not in _APART))
    narrow = min((width for _, width in modules), default=8)
    return QuantizationFacts(
        method="modelopt_mixed", bits=narrow, group_size=16 if narrow == 4 else -1, modules=modules
    )


def _narrows_cache(config: Mapping[str, Any]) -> bool:
    """Whether the file asks for an FP8 cache (`get_kv_cache_quant_algo_string` of vLLM 0.26.0's torch_utils.py)."""
    asked = config.get("kv_cache_scheme") or config.get("kv_cache_quant_algo")
    if isinstance(asked, Mapping):
        return asked.get("num_bits") == 8 and asked.get("type") == "float" and asked.get("dynamic") is not True
    return isinstance(asked, str) and asked.lower() == "fp8"


def _block(sides: object) -> int:
    """Weights that share a scale: the product of a block's two sides, -1 where the file names none."""
    if sides is None:
        return -1
    if not isinstance(sides, list | tuple) or len(sides) != 2 or any(type(side) is not int for side in sides):
        raise ValueError("`weight_block_size` is not a list of two whole numbers")
    return int(sides[0] * sides[1])


def _stated(config: Mapping[str, Any], default: int, *keys: str) -> Any:
    """The first of these keys that the file gives a value; 0 is one, and no sound one."""
    return next((config[key] for key in keys if config.get(key) is not None), default)


def _compressed_tensors(config: Mapping[str, Any]) -> QuantizationFacts:
    groups = config.get("config_groups") or {}
    group: Mapping[str, Any] = next((g for g in groups.values() if g.get("weights")), {})
    weights, inputs = group.get("weights") or {}, group.get("input_activations") or {}
    skipped = config.get("ignore") or ()
    if not isinstance(skipped, list | tuple):
        raise ValueError("`ignore` is not a list")
    parts = ("embedding", "lm_head") if "lm_head" in skipped or not skipped else ("embedding",)
    return QuantizationFacts(
        method="compressed-tensors",
        bits=float(_stated(weights, 8, "num_bits")),
        group_size=int(_stated(weights, -1, "group_size")),
        symmetric=bool(weights.get("symmetric", True)),
        unquantized=parts,
        floats=weights.get("type") == "float",
        activation_bits=None if inputs.get("num_bits") is None else int(inputs["num_bits"]),
    )
