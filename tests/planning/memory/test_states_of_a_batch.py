"""A start is refused whose cache has fewer blocks than a batch has sequences with states.

Since 0.20.0 that is a whole batch; from 0.11.0 up to 0.17.1 the largest that is captured
(https://github.com/vllm-project/vllm/issues/34094).
The figure is one of those who met it: vLLM counted 856 blocks for Qwen3.6-27B-FP8 at 0.95 of an H100
(https://github.com/vllm-project/recipes/pull/551).
"""

from dataclasses import replace
from typing import Any

import pytest

from l4serve.engines.releases.contract import load_contract
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.drafts import with_draft
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.extra_flags import with_flags
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.remedies import remedies
from l4serve.planning.models.catalogue import find_model
from tests.planning.memory.fits import fit_on

PIECEWISE = '--compilation-config={"cudagraph_mode":"PIECEWISE"}'
NO_GRAPHS = '--compilation-config={"cudagraph_mode":"NONE"}'


def options(version: str = "0.26.0", *flags: str, **changes: Any) -> ServingOptions:
    asked = ServingOptions(engine="vllm", engine_version=version, gpu_memory_utilization=0.95)
    changed = replace(asked, default_max_num_seqs=1024, **changes)
    return with_flags(changed, flags, {}, load_contract("vllm", version))


def fit(asked: ServingOptions) -> Fit:
    return fit_on("nvidia-h100-80gb", "Qwen/Qwen3.5-27B-FP8", asked)


def blocks_told(found: Fit) -> int:
    (reason,) = found.reasons
    return int(reason.split("the cache has ")[1].split(",")[0])


@pytest.mark.parametrize(
    ("asked", "starts"),
    [
        (options("0.22.0"), False),
        (options("0.20.0"), False),
        (options("0.19.1"), True),
        (options("0.22.0", max_num_seqs=512), True),
        (options("0.22.0", enforce_eager=True), True),
        (options("0.22.0", PIECEWISE), True),
        (options("0.22.0", NO_GRAPHS), True),
    ],
)
def test_a_state_for_each_sequence_is_demanded_where_decoding_is_captured_whole(
    asked: ServingOptions, *, starts: bool
) -> None:
    assert fit(asked).fits == starts


@pytest.mark.parametrize(
    ("asked", "starts"),
    [
        (options("0.17.1"), False),
        (options("0.15.0"), False),
        (options("0.18.0"), True),
        (options("0.17.1", max_num_seqs=256), True),
        (options("0.17.1", '--compilation-config={"cudagraph_capture_sizes":[1,256,1024]}'), False),
        (options("0.17.1", '--compilation-config={"cudagraph_capture_sizes":[1,2,256]}'), True),
        (options("0.17.1", enforce_eager=True), True),
        (options("0.17.1", PIECEWISE), True),
        (options("0.17.1", num_speculative_tokens=1), True),
    ],
)
def test_the_largest_captured_batch_was_demanded_before(asked: ServingOptions, *, starts: bool) -> None:
    assert fit(replace(asked, gpu_memory_utilization=0.6, max_model_len=32768)).fits == starts


def test_a_mamba_model_checked_no_captured_batch() -> None:
    asked = replace(options("0.17.1"), gpu_memory_utilization=0.9, default_max_num_seqs=256, max_model_len=4096)
    found = fit_on("nvidia-l4", "nvidia/NVIDIA-Nemotron-Nano-9B-v2", asked)
    assert found.fits


def test_the_blocks_are_those_that_the_engine_counted() -> None:
    found = fit(options("0.22.0"))
    assert blocks_told(found) == pytest.approx(856, rel=0.03)
    assert "maxNumSeqs" in found.reasons[0]


@pytest.mark.parametrize(
    ("model", "utilization", "blocks"), [("Qwen/Qwen3.8-27B-FP8", 0.92, 939), ("Qwen/Qwen3.8-27B", 0.95, 556)]
)
def test_a_draft_head_makes_blocks_larger_and_fewer(model: str, utilization: float, blocks: int) -> None:
    """Seen on an RTX PRO 6000 by a build of the 0.27 range (https://github.com/vllm-project/recipes/pull/831)."""
    shape = find_model(model)
    assert shape is not None
    asked = options("0.27.1", max_num_seqs=1024, num_speculative_tokens=3, speculative_method="mtp")
    headed, _ = with_draft(asked, {"method": "mtp", "num_speculative_tokens": 3}, shape)
    found = fit_on("nvidia-rtx-pro-6000", model, replace(headed, gpu_memory_utilization=utilization))
    assert blocks_told(found) == pytest.approx(blocks, rel=0.03)


def test_the_remedy_is_the_largest_batch_that_is_tried_and_starts() -> None:
    gpu, shape = find_gpu("nvidia-h100-80gb"), find_model("Qwen/Qwen3.5-27B-FP8")
    assert gpu is not None
    assert shape is not None
    edits = [remedy.edit for remedy in remedies(shape, gpu, options("0.22.0"))]
    assert {"engine.maxNumSeqs": 512} in edits


def test_a_model_without_states_has_no_such_demand() -> None:
    gpu, shape = find_gpu("nvidia-l4"), find_model("Qwen/Qwen3-4B")
    assert gpu is not None
    assert shape is not None
    asked = options("0.26.0", "--num-gpu-blocks-override=140", max_model_len=2048, max_num_seqs=256)
    assert estimate(shape, gpu, asked).fits
