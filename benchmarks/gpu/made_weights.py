"""Weights that are made where they are measured: adapters for a model's linear layers, and whole checkpoints.

python -m benchmarks.gpu.made_weights MODEL_DIR    # random weights beside its config.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def write_adapter(config: dict[str, Any], rank: int, folder: Path) -> Path:
    """Writes an adapter of this rank for all linear layers of a dense model, with random weights; gives its folder."""
    import torch
    from safetensors.torch import save_file

    hidden, width, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    each = config.get("head_dim") or hidden // heads
    queries, keys = heads * each, config.get("num_key_value_heads", heads) * each
    shapes = {
        "self_attn.q_proj": (hidden, queries),
        "self_attn.k_proj": (hidden, keys),
        "self_attn.v_proj": (hidden, keys),
        "self_attn.o_proj": (queries, hidden),
        "mlp.gate_proj": (hidden, width),
        "mlp.up_proj": (hidden, width),
        "mlp.down_proj": (width, hidden),
    }

    def drawn(*shape: int) -> Any:
        return torch.empty(*shape, dtype=torch.bfloat16).uniform_(-0.01, 0.01)

    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        for name, (taken, given) in shapes.items():
            begin = f"base_model.model.model.layers.{layer}.{name}"
            tensors[f"{begin}.lora_A.weight"] = drawn(rank, taken)
            tensors[f"{begin}.lora_B.weight"] = drawn(given, rank)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    modules = [name.split(".")[1] for name in shapes]
    facts = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": rank, "target_modules": modules}
    (folder / "adapter_config.json").write_text(json.dumps({**facts, "bias": "none", "lora_dropout": 0.0}))
    return folder


def write_checkpoint(folder: Path) -> None:
    """Writes random weights beside a config.json, as a checkpoint that an engine loads from files."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=torch.bfloat16)
    model.save_pretrained(folder)


if __name__ == "__main__":
    write_checkpoint(Path(sys.argv[1]))
