"""What an error tells the operator to write is written, and the error is gone."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.engines.releases.contract import contract_versions
from l4serve.engines.rules import rules
from l4serve.engines.traits import Verdict
from tests.engines.rule_cases import A100, GEMMA, H100, L4, PHI3, QWEN, RTX_PRO, T4, like, verdicts

_EDIT = re.compile(r"(?:set|or|and) (gpus|engine\.[\w.]+)(?:: | below )([\w.]+)|remove (engine\.[\w.]+)")
_BELOW = re.compile(r"set (engine\.\w+) below (\d+)")
_SIZES = {"tensorParallelSize": "tp", "numShard": "tp", "pipelineParallelSize": "pp"}

UNWRITABLE = {
    "vllm-fbgemm-fp8-before-ampere",
    "vllm-lora-over-quantised-layers",
    "vllm-modelopt-before-ada",
    "vllm-modelopt-before-ampere",
    "vllm-mxfp4-before-ampere",
    "vllm-quantised-float32-before-ampere",
    "vllm-float32-heads-beyond-shared-memory",
    "vllm-heads-of-512-before-ampere",
    "vllm-unknown-model",
    "vllm-unknown-tool-call-parser",
    "vllm-unknown-reasoning-parser",
    "tgi-bitsandbytes-checkpoint",
    "tgi-fallback-sharded",
    "tgi-unknown-model",
    "tgi-windows-before-ampere",
    "tgi-fp8-checkpoint-before-ampere",
}
"""Rules that only another model, card or engine answers, or a name that the operator must know."""

FALCON = like(
    GEMMA,
    id="tiiuae/falcon-7b",
    architecture="FalconForCausalLM",
    num_attention_heads=71,
    num_key_value_heads=1,
    head_dim=64,
)
AWQ = like(QWEN, quantization_method="awq", quantization_group=128, intermediate_size=13824, dtype="float16")
FP8 = like(QWEN, quantization_method="fp8", quantization_group=128 * 128, expert_intermediate_size=768)
GEMMA2 = like(GEMMA, architecture="Gemma2ForCausalLM")
BITSANDBYTES = like(QWEN, quantization_method="bitsandbytes")
MODELS = (
    BITSANDBYTES,
    GEMMA,
    GEMMA2,
    PHI3,
    QWEN,
    FALCON,
    AWQ,
    FP8,
    like(GEMMA2, quantization_method="awq", dtype="float16"),
)

VLLM: Mapping[str, tuple[Any, ...]] = {
    "dtype": ("half", "bfloat16", "float32"),
    "quantization": ("awq", "gptq", "fp8", "bitsandbytes", "nosuch", "fbgemm_fp8"),
    "kvCacheDtype": ("fp8", "fp8_e4m3", "fp8_e5m2", "nvfp4"),
    "attentionBackend": ("FLASH_ATTN", "flashinfer", "TRITON_ATTN", "XFORMERS"),
    "maxModelLen": (1024, 9000, 200_000),
    "enableChunkedPrefill": (False,),
    "maxNumBatchedTokens": (64, 512),
    "maxNumSeqs": (32, 128),
    "blockSize": (8, 64),
    "calculateKvScales": (True,),
    "loadFormat": ("nosuch", "bitsandbytes"),
    "speculativeConfig": ({"method": "ngram", "num_speculative_tokens": 0},),
    "enableAutoToolChoice": (True,),
}
TGI: Mapping[str, tuple[Any, ...]] = {
    "dtype": ("float16",),
    "quantize": ("awq", "eetq", "exl2", "bitsandbytes", "fp8"),
    "kvCacheDtype": ("fp8_e5m2", "fp8_e4m3fn"),
    "attention": ("flashinfer", "flashdecoding", "paged"),
    "maxInputTokens": (512, 4096),
    "maxInputLength": (512, 4096),
    "maxTotalTokens": (512, 3072, 8192),
    "maxBatchPrefillTokens": (256, 4096),
    "maxBatchTotalTokens": (1024, 16384),
}
FIELDS = {"vllm": VLLM, "tgi": TGI}


@st.composite
def workloads(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(FIELDS)))
    chosen = draw(st.sets(st.sampled_from(sorted(FIELDS[kind])), max_size=4))
    return {
        "kind": kind,
        "version": draw(st.sampled_from(contract_versions(kind))),
        "model": draw(st.sampled_from(MODELS)),
        "gpu": draw(st.sampled_from((L4, L4, A100, T4, H100, RTX_PRO))),
        "gpus": draw(st.sampled_from((1, 2, 4, 8))),
        "tp": draw(st.sampled_from((1, 2, 3, 4, 8))),
        **{field: draw(st.sampled_from(FIELDS[kind][field])) for field in sorted(chosen)},
    }


def refused(workload: Mapping[str, Any]) -> dict[str, Verdict]:
    rest = {key: value for key, value in workload.items() if key not in ("kind", "version", "model")}
    found = verdicts(workload["kind"], workload["version"], workload["model"], **rest)
    return {rule: verdict for rule, verdict in found.items() if verdict.severity == "error"}


def edited(workload: Mapping[str, Any], remedy: str) -> dict[str, Any] | None:
    """The workload after the first edit that a remedy names; None where it names none."""
    if not (edit := _EDIT.search(remedy)):
        return None
    path, value, removed = edit.groups()
    if removed:
        return {key: kept for key, kept in workload.items() if key != removed.removeprefix("engine.")}
    number = int(value) - bool(_BELOW.search(remedy)) if value.isdigit() else value
    key = path.removeprefix("engine.")
    return {**workload, _SIZES.get(key, key): number}


@settings(max_examples=400, deadline=None)
@given(workloads())
def test_an_error_is_gone_once_its_remedy_is_written(workload: dict[str, Any]) -> None:
    for rule, verdict in refused(workload).items():
        after = edited(workload, verdict.remedy)
        if after is None:
            assert rule in UNWRITABLE, verdict.remedy
            continue
        assert rule not in refused(after), (verdict.remedy, after)


@settings(max_examples=200, deadline=None)
@given(workloads())
def test_writing_one_remedy_after_the_other_ends_without_an_error(workload: dict[str, Any]) -> None:
    for _ in range(12):
        errors = {rule: v for rule, v in refused(workload).items() if edited(workload, v.remedy) is not None}
        if not errors:
            return
        rule = sorted(errors)[0]
        workload = edited(workload, errors[rule].remedy) or {}
    pytest.fail(f"no end after twelve edits: {workload}")


def test_rules_without_an_edit_exist() -> None:
    assert {rule.id for rule in rules()} >= UNWRITABLE
