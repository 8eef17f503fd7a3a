"""Asks one public estimator: worker.py TOOL < questions.json; prints one JSON list of answers on its last line.

Runs in the environment of requirements/benchmarks.txt, so it imports nothing of this project. Each tool is used as its
documentation shows, offline: the parameter count that some of them ask of the Hub is given to them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

GIB = 2**30
Question = dict[str, Any]
SHORT_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "half": "fp16", "float32": "fp32", "float": "fp32"}


class CannotAnswerError(Exception):
    """The tool has no way to say this."""


def vramcalc(question: Question) -> float:
    """The longest single sequence whose estimate, overhead included, stays within utilisation x memory."""
    import vramcalc as tool  # type: ignore[import-not-found]

    if question["tensorParallel"] > 1:
        raise CannotAnswerError("no tensor parallelism")
    if question["quantization"]:
        raise CannotAnswerError("no quantised weights")
    if question["kvDtype"].startswith("fp8"):
        raise CannotAnswerError("no 8-bit KV cache")
    usable = question["utilization"] * question["gpuTotalGib"] * GIB
    dtype = SHORT_DTYPES[question["dtype"]]

    def fits(length: int) -> bool:
        estimate = tool.estimate(question["config"], mode="inference", dtype=dtype, batch=1, seq_len=length)
        return bool(estimate.total + estimate.overhead <= usable)

    return _largest(fits)


def vramscout(question: Question) -> float:
    """`max_context_vram` of its vLLM mode."""
    from vramscout.modern_v07 import plan_modern  # type: ignore[import-not-found]

    weights = {"fp8": "fp8", "awq": "int4", "gptq": "int4", "compressed-tensors": "auto", "bitsandbytes": "int4"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(question["config"]))
        plan = plan_modern(
            str(path),
            weight_dtype=weights.get(question["quantization"] or "", SHORT_DTYPES[question["dtype"]]),
            kv_dtype="fp8" if question["kvDtype"].startswith("fp8") else "auto",
            tp=question["tensorParallel"],
            vram_gib=question["gpuTotalGib"],
            engine="vllm",
            gpu_memory_utilization=question["utilization"],
            prefill_chunk=question["batchedTokens"] or 2048,
        )
    return float(plan.max_context_vram)


def vllm_wizard(question: Question) -> float:
    """`max_context` at a concurrency of one."""
    from vllm_wizard.models.metadata import ModelMetadata  # type: ignore[import-not-found]
    from vllm_wizard.planning import memory  # type: ignore[import-not-found]
    from vllm_wizard.schemas.inputs import DType, KVCacheDType, Quantization  # type: ignore[import-not-found]

    names = {"awq": "awq", "gptq": "gptq", "fp8": "fp8", None: "none"}
    if question["quantization"] not in names:
        raise CannotAnswerError(f"no {question['quantization']} weights")
    metadata = _wizard_metadata(ModelMetadata, question)
    total = int(question["gpuTotalGib"] * question["tensorParallel"] * GIB)
    report = memory.compute_feasibility(
        weights_bytes=memory.compute_weights_memory(
            question["parameters"] / 1e9, DType.AUTO, Quantization(names[question["quantization"]])
        ),
        kv_cache_bytes=0,
        overhead_bytes=memory.compute_overhead(total, question["tensorParallel"]),
        vram_total_bytes=total,
        gpu_memory_utilization=question["utilization"],
        metadata=metadata,
        kv_dtype=KVCacheDType("fp8_e4m3fn" if question["kvDtype"].startswith("fp8") else "auto"),
    )
    return float(report.max_context_at_concurrency)


def _wizard_metadata(kind: Any, question: Question) -> Any:
    text = question["config"].get("text_config", question["config"])
    heads = text["num_attention_heads"]
    return kind(
        num_hidden_layers=text["num_hidden_layers"],
        hidden_size=text["hidden_size"],
        num_attention_heads=heads,
        num_key_value_heads=text.get("num_key_value_heads") or heads,
        vocab_size=text["vocab_size"],
        max_position_embeddings=text["max_position_embeddings"],
        model_type=question["config"]["model_type"],
        intermediate_size=text.get("intermediate_size"),
        num_params=question["parameters"],
    )


def llm_d_planner(question: Question) -> float:
    """`auto_max_model_len`, with the parameter counts by dtype that it would read from the Hub."""
    from planner import capacity_planner as tool  # type: ignore[import-not-found]
    from transformers import AutoConfig

    if question["kvDtype"].startswith("fp8"):
        raise CannotAnswerError("no option for the KV cache dtype")
    if question["onlineQuantization"]:
        raise CannotAnswerError("no quantisation while loading")
    config = dict(question["config"])
    model_type = config.pop("model_type")
    try:
        auto = AutoConfig.for_model(model_type, **config)
    except ValueError as error:
        raise CannotAnswerError(str(error)[:120]) from None
    tool.model_params_by_dtype = lambda *_: {_stored_dtype(question): question["parameters"]}
    return float(
        tool.auto_max_model_len(
            question["model"], auto, question["gpuTotalGib"], question["utilization"], tp=question["tensorParallel"]
        )
    )


def _stored_dtype(question: Question) -> str:
    """The safetensors dtype under which the Hub counts a checkpoint's parameters."""
    stored = {"fp8": "F8_E4M3", "awq": "I32", "gptq": "I32", "compressed-tensors": "I32", "mxfp4": "U8"}
    return stored.get(question["quantization"] or "", "BF16")


def _largest(fits: Callable[[int], bool]) -> float:
    low, high = 0, 1 << 24
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return float(low)


TOOLS = {
    "vramcalc": vramcalc,
    "vramscout": vramscout,
    "vllm-wizard": vllm_wizard,
    "llm-d-planner": llm_d_planner,
}


def answer(tool: Callable[[Question], float], question: Question) -> dict[str, object]:
    """One question's answer; a tool's own refusal is kept as its words."""
    try:
        return {"id": question["id"], "tokens": tool(question)}
    except CannotAnswerError as error:
        return {"id": question["id"], "cannot": str(error)}
    except Exception as error:  # a public tool may refuse in any way
        return {"id": question["id"], "cannot": f"{type(error).__name__}: {str(error)[:120]}"}


def main() -> int:
    """Reads the questions, prints the answers."""
    tool = TOOLS[sys.argv[1]]
    print(json.dumps([answer(tool, question) for question in json.load(sys.stdin)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
