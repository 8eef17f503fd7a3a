"""From 0.14 to 0.16 each pipeline stage must hold a longest sequence in the layers of all stages.

Reported of a context that 0.13 served and 0.14 did not (https://github.com/vllm-project/vllm/issues/34076).
"""

from dataclasses import replace

import pytest

from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from tests.planning.memory.fits import fit_on

ASKED = ServingOptions(
    engine="vllm",
    engine_version="0.13.0",
    pipeline_parallel_size=4,
    max_model_len=131072,
    gpu_memory_utilization=0.9,
)


def fit(asked: ServingOptions) -> Fit:
    return fit_on("nvidia-l4", "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8", asked)


@pytest.mark.parametrize(
    ("version", "starts"), [("0.13.0", True), ("0.14.0", False), ("0.16.0", False), ("0.17.0", True)]
)
def test_a_stage_is_asked_for_the_layers_of_all(version: str, *, starts: bool) -> None:
    found = fit(replace(ASKED, engine_version=version))
    assert found.fits is starts, found.reasons
    assert not found.margin_is_uncertain


def test_the_sequence_that_is_told_of_is_that_of_all_stages() -> None:
    found = fit(replace(ASKED, engine_version="0.14.0", max_model_len=262144))
    whole = fit(replace(ASKED, engine_version="0.13.0", max_model_len=262144))
    assert found.reasons and "24.00 GiB of KV cache" in found.reasons[0]
    assert found.largest_max_model_len == pytest.approx(found.kv_cache_tokens / 4, rel=0.001)
    assert found.kv_cache_tokens == whole.kv_cache_tokens


def test_a_context_that_the_engine_finds_is_as_short() -> None:
    found = fit(replace(ASKED, engine_version="0.14.0", max_model_len=None, fits_length=True))
    assert found.fits
    assert found.max_model_len == found.largest_max_model_len < 131072


def test_tensor_ranks_each_hold_their_own() -> None:
    asked = replace(ASKED, engine_version="0.14.0", pipeline_parallel_size=1, tensor_parallel_size=4)
    assert fit(asked).fits
