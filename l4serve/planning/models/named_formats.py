"""Checkpoints whose Hub id is another model's and a format: of makers who store all of theirs alike, and of anyone."""

from collections.abc import Mapping
from typing import Any

from l4serve.planning.models.named_copies import AUTHORS


def _compressed(inputs: int | None = None, **weights: Any) -> dict[str, Any]:
    group: dict[str, Any] = {"weights": {"symmetric": True, **weights}}
    groups = {"group_0": group if inputs is None else {**group, "input_activations": {"num_bits": inputs}}}
    return {"quant_method": "compressed-tensors", "config_groups": groups, "ignore": ["lm_head"]}


_COMPRESSED: Mapping[str, Mapping[str, Any]] = {
    "-fp8-dynamic": _compressed(num_bits=8, type="float"),
    "-nvfp4": _compressed(4, num_bits=4, type="float", group_size=16),
    "-nvfp4a16": _compressed(num_bits=4, type="float", group_size=16),
    "-quantized.w8a8": _compressed(num_bits=8, type="int"),
    "-quantized.w8a16": _compressed(num_bits=8, type="int"),
    "-quantized.w4a16": _compressed(num_bits=4, type="int", group_size=128),
}
"""What LLM Compressor writes: https://docs.vllm.ai/projects/llm-compressor."""
_FLOATS8 = {"kv_cache_quant_algo": "FP8", "ignore": ["lm_head"]}
_NVFP4 = {"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16, **_FLOATS8}
_MODELOPT: Mapping[str, Mapping[str, Any]] = {
    "-fp8": {"quant_method": "modelopt", "quant_algo": "FP8", **_FLOATS8},
    "-fp4": _NVFP4,
    "-nvfp4": _NVFP4,
}
"""What Model Optimizer writes, with a cache of eight bits unless it is told otherwise (`--kv_cache_qformat`):
https://github.com/NVIDIA/TensorRT-Model-Optimizer/blob/main/examples/llm_ptq/hf_ptq.py."""
_AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}
_GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": True}
_NF4 = {"quant_method": "bitsandbytes", "load_in_4bit": True}
_CYANKIWI: Mapping[str, Mapping[str, Any]] = {
    "-awq-4bit": _compressed(num_bits=4, type="int", group_size=32),
    "-awq-int4": _compressed(num_bits=4, type="int", group_size=32),
    "-awq-8bit": _compressed(num_bits=8, type="int", group_size=32),
}
"""What the tensors of its Qwen3-30B-A3B-Instruct-2507-AWQ-4bit add up to (TransformerLens 4.3.0)."""
_MAKERS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "redhatai": _COMPRESSED,
    "neuralmagic": _COMPRESSED,
    "cyankiwi": _CYANKIWI,
    "cpatonn": _CYANKIWI,
    "nvidia": _MODELOPT,
    "hugging-quants": {"-awq-int4": _AWQ, "-gptq-int4": _GPTQ},
}
"""Owners in lower case, each with the ends of its ids. cyankiwi was cpatonn."""
_ANYONE: Mapping[str, Mapping[str, Any]] = {
    "-awq": _AWQ,
    "-gptq": _GPTQ,
    "-gptq-int4": _GPTQ,
    "-gptq-int8": {**_GPTQ, "bits": 8},
    "-bnb-4bit": _NF4,
    "-fp8-dynamic": _COMPRESSED["-fp8-dynamic"],
    "-w4a16": _COMPRESSED["-quantized.w4a16"],
    "-w8a8": _COMPRESSED["-quantized.w8a8"],
}
"""What such ends mean of whoever has no ends of their own and writes no models: the widths that the tools write where
nobody asks for others. Unsloth's `-unsloth-bnb-4bit` leaves some layers plain, and is none of them."""
_MIXTURES = ("redhatai", "neuralmagic", "cyankiwi", "cpatonn")
"""Owners whose recipes store all experts in the format, and the layers beside them."""


def named_format(model_id: str) -> tuple[str, dict[str, Any]] | None:
    """The name of the model behind an id, without an owner and in lower case, and how its layers are stored."""
    owner, _, name = model_id.strip().lower().rpartition("/")
    formats = _MAKERS.get(owner, {} if owner in ("", *AUTHORS) else _ANYONE)
    found = next((suffix for suffix in formats if name.endswith(suffix)), None)
    return None if found is None else (name.removesuffix(found), dict(formats[found]))


def stores_mixtures_alike(model_id: str) -> bool:
    """Whether the format of an id of this owner is that of a mixture's experts too."""
    return model_id.strip().lower().partition("/")[0] in _MIXTURES
