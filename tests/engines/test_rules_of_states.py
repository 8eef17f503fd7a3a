"""Mamba 2 layers over several GPUs: their heads and the groups of these divide, or the start ends."""

import pytest

from l4serve.planning.models.catalogue import find_model
from l4serve.planning.workload.judgement.model_traits import model_traits
from tests.engines.rule_cases import QWEN, errors, like

FALCON = like(QWEN, architecture="FalconH1ForCausalLM", num_attention_heads=32, state_heads=32, state_groups=2)
GRANITE = like(FALCON, architecture="GraniteMoeHybridForCausalLM", state_heads=48, state_groups=1)
SPLIT, QUANTISED = "vllm-states-not-divisible", "vllm-quantised-states-split"


@pytest.mark.parametrize("version", ["0.9.2", "0.33.0"])
def test_heads_and_groups_divide(version: str) -> None:
    sizes = {size: errors("vllm", version, FALCON, tp=size) & {SPLIT} for size in (1, 2, 4)}
    assert sizes == {1: set(), 2: set(), 4: {SPLIT}}
    assert not errors("vllm", version, GRANITE, tp=8) & {SPLIT}
    assert errors("vllm", version, like(GRANITE, state_heads=20), tp=8) & {SPLIT}
    assert not errors("vllm", version, QWEN, tp=8) & {SPLIT}


@pytest.mark.parametrize(("version", "told"), [("0.10.2", True), ("0.11.0", False)])
def test_quantised_layers_are_split_since_0_11(version: str, *, told: bool) -> None:
    stored = like(GRANITE, quantization_method="compressed-tensors", quantization_bits=8, quantization_floats=True)
    assert (QUANTISED in errors("vllm", version, stored, tp=2)) is told
    assert (QUANTISED in errors("vllm", version, GRANITE, tp=2, quantization="fp8")) is told
    assert QUANTISED not in errors("vllm", version, stored)
    assert QUANTISED not in errors("vllm", version, GRANITE, tp=2)


@pytest.mark.parametrize(
    ("model_id", "heads", "groups"),
    [
        ("tiiuae/Falcon-H1-34B-Instruct", 32, 2),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", 128, 8),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", None, None),
        ("Qwen/Qwen3-8B", None, None),
    ],
)
def test_mamba_2_alone_has_such_heads(model_id: str, heads: int | None, groups: int | None) -> None:
    traits = model_traits(find_model(model_id), model_id)
    assert (traits.state_heads, traits.state_groups) == (heads, groups)
