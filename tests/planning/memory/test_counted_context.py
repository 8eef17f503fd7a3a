"""V1 of 0.8 and 0.9.0 counts all that is taken of the card within its share, the CUDA context with it.

Read in v1/worker/gpu_worker.py of 0.8.5, 0.9.0 and 0.9.1. The figure is that of
https://github.com/vllm-project/vllm/issues/15617: of 4.43 GiB that 116,160 tokens need, 3.48 were left.
"""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.estimators.cases import field_cases
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from tests.planning.memory.fits import fit_on

H100 = "nvidia-h100-80gb"


def fit(version: str, **changes: Any) -> Fit:
    asked = ServingOptions(engine="vllm", engine_version=version, max_model_len=4096)
    return fit_on(H100, "Qwen/Qwen3-8B", replace(asked, **changes))


@pytest.mark.parametrize(
    ("version", "changes", "counted"),
    [
        ("0.7.3", {}, False),
        ("0.8.5", {}, True),
        ("0.9.0.1", {}, True),
        ("0.9.1", {}, False),
        ("0.8.5", {"asks_for_v0": True}, False),
    ],
)
def test_the_context_counts_within_the_share_of_v1_alone(version: str, changes: dict[str, Any], counted: bool) -> None:
    gpu = find_gpu(H100)
    assert gpu is not None
    found = fit(version, **changes).non_torch_gib
    assert found == pytest.approx(0.1 + (gpu.context_gib if counted else 0.0))


def test_nothing_of_the_context_lies_beside_a_share_that_counts_it() -> None:
    assert not any("free when it starts" in reason for reason in fit("0.8.5", gpu_memory_utilization=0.995).reasons)
    assert any("free when it starts" in reason for reason in fit("0.9.1", gpu_memory_utilization=0.995).reasons)


def test_a_public_start_has_the_cache_that_it_told() -> None:
    case = next(case for case in field_cases() if case.id == "vllm-15617")
    found = estimate(case.model, case.gpu, case.options)
    assert found.kv_room_gib == pytest.approx(3.48, abs=0.25)
