"""Weights of a quantised layer that share a scale stay on one GPU, experts in NVFP4 too, or the start ends."""

import pytest

from l4serve.engines.traits import GpuTraits
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.workload.judgement.model_traits import model_traits
from tests.engines.rule_cases import H100, L4, QWEN, RTX_PRO, errors, like, verdicts

NANO = model_traits(find_model("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4"), "nvidia/nano")
PACKED = like(
    QWEN,
    num_attention_heads=64,
    num_key_value_heads=8,
    intermediate_size=29568,
    quantization_method="compressed-tensors",
    quantization_bits=4.0,
    quantization_floats=False,
    quantization_group=128,
)
GROUPS, CUT = "vllm-quantised-groups-not-divisible", "vllm-fp4-experts-cut"


@pytest.mark.parametrize("gpu", [H100, RTX_PRO])
@pytest.mark.parametrize("version", ["0.20.0", "0.26.0", "0.33.0"])
def test_experts_in_nvfp4_keep_their_groups_of_16(version: str, gpu: GpuTraits) -> None:
    told = verdicts("vllm", version, NANO, gpu=gpu, tp=8)
    assert "set engine.tensorParallelSize: 4" in told[GROUPS].remedy
    assert all(GROUPS not in errors("vllm", version, NANO, gpu=gpu, tp=size) for size in (1, 2, 4))


@pytest.mark.parametrize(
    ("version", "gpu", "told"),
    [("0.16.0", H100, True), ("0.23.0", L4, True), ("0.24.0", H100, False), ("0.20.0", RTX_PRO, False)],
)
def test_marlin_takes_experts_by_64_until_they_are_padded(version: str, gpu: GpuTraits, *, told: bool) -> None:
    assert (CUT in errors("vllm", version, NANO, gpu=gpu, tp=2)) is told
    assert CUT not in errors("vllm", version, NANO, gpu=gpu)


@pytest.mark.parametrize("version", ["0.8.5", "0.33.0"])
def test_whole_numbers_of_compressed_tensors_keep_their_groups(version: str) -> None:
    assert GROUPS in errors("vllm", version, PACKED, tp=2)
    assert GROUPS not in errors("vllm", version, PACKED)
    for kept in ({"quantization_group": -1}, {"expert_intermediate_size": 768}, {"intermediate_size": 29696}):
        assert GROUPS not in errors("vllm", version, like(PACKED, **kept), tp=2)


@pytest.mark.parametrize(("version", "size", "told"), [("0.10.0", 4, True), ("0.10.0", 2, False), ("0.13.0", 4, False)])
def test_shards_of_packed_experts_that_no_kernel_takes(version: str, size: int, *, told: bool) -> None:
    """Four L20 fail and two serve: https://github.com/vllm-project/vllm/issues/22085."""
    packed = find_model("RedHatAI/Qwen3-30B-A3B-quantized.w4a16")
    model = model_traits(packed, "RedHatAI/Qwen3-30B-A3B-quantized.w4a16")
    assert ("vllm-quantised-experts-cut" in errors("vllm", version, model, tp=size, gpus=size)) is told


@pytest.mark.parametrize(
    ("model_id", "size", "settings", "told"),
    [
        ("zai-org/GLM-4.5V-FP8", 8, {}, True),
        ("zai-org/GLM-4.1V-9B-Thinking", 8, {}, True),
        ("zai-org/GLM-4.5V-FP8", 4, {}, False),
        ("zai-org/GLM-4.5V-FP8", 8, {"languageModelOnly": True}, False),
        ("Qwen/Qwen2.5-VL-72B-Instruct", 8, {}, False),
    ],
)
def test_a_tower_of_twelve_heads_is_not_split_over_eight(
    model_id: str, size: int, settings: dict[str, bool], *, told: bool
) -> None:
    """https://github.com/vllm-project/vllm/issues/24004."""
    model = model_traits(find_model(model_id), model_id)
    found = errors("vllm", "0.19.0", model, tp=size, gpus=size, **settings)
    assert ("vllm-tower-heads-not-divisible" in found) is told


def test_a_checkpoint_of_several_formats_needs_a_release_that_reads_them() -> None:
    model = model_traits(find_model("nvidia/Qwen3.6-27B-NVFP4"), "nvidia/Qwen3.6-27B-NVFP4")
    assert "vllm-modelopt-mixed-before" in errors("vllm", "0.16.0", model)
    assert "vllm-modelopt-mixed-before" not in errors("vllm", "0.22.0", model)
