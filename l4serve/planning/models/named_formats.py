"""Checkpoints whose Hub id is another model's and a format, by makers who name and store all of theirs alike."""

from collections.abc import Mapping
from typing import Any

_MAKERS = ("redhatai", "neuralmagic")
"""Owners whose LLM Compressor writes compressed-tensors: https://docs.vllm.ai/projects/llm-compressor."""
_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "-fp8-dynamic": {"num_bits": 8, "type": "float", "symmetric": True},
    "-quantized.w8a8": {"num_bits": 8, "type": "int", "symmetric": True},
    "-quantized.w8a16": {"num_bits": 8, "type": "int", "symmetric": True},
    "-quantized.w4a16": {"num_bits": 4, "type": "int", "symmetric": True, "group_size": 128},
}


def named_format(model_id: str) -> tuple[str, dict[str, Any]] | None:
    """The name of the model behind an id, without an owner and in lower case, and how its layers are stored."""
    owner, _, name = model_id.strip().lower().rpartition("/")
    found = next((suffix for suffix in _FORMATS if name.endswith(suffix)), None)
    if owner not in _MAKERS or found is None:
        return None
    groups = {"group_0": {"weights": dict(_FORMATS[found])}}
    stored = {"quant_method": "compressed-tensors", "config_groups": groups, "ignore": ["lm_head"]}
    return name.removesuffix(found), stored
