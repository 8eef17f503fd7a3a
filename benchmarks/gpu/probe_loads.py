"""Loads for a measured engine: what it serves, and what PyTorch's allocator does meanwhile."""

from __future__ import annotations

import random
import time
from typing import Any


def allocator() -> dict[str, int]:
    """PyTorch's counts of this process: bytes in use and held, their peaks, and how often it had to free and retry."""
    import torch

    stats = torch.cuda.memory_stats()
    return {
        "allocated": stats.get("allocated_bytes.all.current", 0),
        "allocated_peak": stats.get("allocated_bytes.all.peak", 0),
        "reserved": stats.get("reserved_bytes.all.current", 0),
        "reserved_peak": stats.get("reserved_bytes.all.peak", 0),
        "retries": stats.get("num_alloc_retries", 0),
    }


def prompts_of(load: dict[str, Any], image_tokens: list[int]) -> list[Any]:
    """The prompts of one load: random tokens, or one image between its marks."""
    if "image" in load:
        from PIL import Image

        return [{"prompt_token_ids": image_tokens, "multi_modal_data": {"image": Image.new("RGB", load["image"])}}]
    draw = random.Random(load.get("seed", load["n"]))
    return [{"prompt_token_ids": [draw.randrange(10, 900) for _ in range(load["inp"])]} for _ in range(load["n"])]


def run_load(llm: Any, load: dict[str, Any]) -> dict[str, Any]:
    """Serves one load and counts its tokens a second and what the allocator did meanwhile."""
    import torch
    from vllm import SamplingParams

    hf = llm.llm_engine.vllm_config.model_config.hf_config
    names = ("vision_start_token_id", "boi_token_index", "image_token_id", "image_token_index", "vision_end_token_id")
    marks = [getattr(hf, name) for name in names if getattr(hf, name, None) is not None]
    prompts = prompts_of(load, marks[:1] if len(marks) > 1 and hasattr(hf, "boi_token_index") else marks)
    torch.cuda.reset_peak_memory_stats()
    sampling = SamplingParams(max_tokens=load.get("out", 4), ignore_eos=True, detokenize=False, temperature=0.8)
    began, before = time.time(), allocator()["retries"]
    try:
        done = llm.generate(prompts, sampling, use_tqdm=False)
    except Exception as error:
        return {**load, "error": f"{type(error).__name__}: {str(error)[:300]}", **allocator()}
    tokens, taken = sum(len(o.outputs[0].token_ids) for o in done), time.time() - began
    counts = allocator()
    return {**load, "tokens_per_s": round(tokens / taken, 1), **counts, "retries": counts["retries"] - before}
