"""vLLM 0.8.5 chooses BitBLAS for a GPTQ checkpoint where a card has no Marlin kernels, and its image has none."""

from typing import Any

import pytest

from l4serve.engines.traits import GpuTraits
from tests.engines.rule_cases import L4, QWEN, T4, errors, like

GPTQ = like(
    QWEN, quantization_method="gptq", quantization_bits=4.0, quantization_group=128, quantization_symmetric=True
)
RULE = "vllm-gptq-by-bitblas"


@pytest.mark.parametrize(
    ("version", "gpu", "told"),
    [("0.8.4", T4, False), ("0.8.5", T4, True), ("0.8.5.post1", T4, True), ("0.9.0", T4, False), ("0.8.5", L4, False)],
)
def test_one_release_chooses_it_before_ampere(version: str, gpu: GpuTraits, *, told: bool) -> None:
    assert (RULE in errors("vllm", version, GPTQ, gpu=gpu)) is told


@pytest.mark.parametrize(
    "changed",
    [
        {"quantization_symmetric": False},
        {"quantization_bits": 3.0},
        {"quantization_group": 256},
        {"quantization_method": "awq"},
    ],
)
def test_it_takes_no_other_checkpoint(changed: dict[str, Any]) -> None:
    assert RULE not in errors("vllm", "0.8.5", like(GPTQ, **changed), gpu=T4)


def test_the_plain_kernel_serves_where_it_is_asked_for() -> None:
    assert RULE not in errors("vllm", "0.8.5", GPTQ, gpu=T4, quantization="gptq")
