"""What samples in the profile run: FlashInfer where the image has it and the release takes it, or a sort."""

import pytest

from l4serve.engines.releases.contract import load_contract
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.extra_flags import with_flags
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model

VARIABLE = "VLLM_USE_FLASHINFER_SAMPLER"


def activation(version: str, said: str | None = None) -> float:
    """GiB of the profile's activations for Gemma 3 27B on a card of 80 GB, 256 sequences at once."""
    gpu, model = find_gpu("nvidia-h100-80gb"), find_model("google/gemma-3-27b-it")
    assert gpu is not None
    assert model is not None
    env = {VARIABLE: said} if said else {}
    options = ServingOptions(engine="vllm", engine_version=version, max_model_len=8192, max_num_seqs=256)
    return estimate(model, gpu, with_flags(options, (), env, load_contract("vllm", version))).activation_gib


def test_sampling_without_flashinfer_takes_as_much_more_as_was_reported() -> None:
    """https://github.com/flashinfer-ai/flashinfer/issues/1180: 4.00 GiB of cache with it, 2.49 without, on 0.9.1."""
    assert activation("0.9.1", "0") - activation("0.9.1") == pytest.approx(1.51, abs=0.05)


@pytest.mark.parametrize("version", ["0.8.0", "0.10.2", "0.11.0"])
def test_the_image_samples_by_flashinfer_before_0_11_1(version: str) -> None:
    assert activation(version) == activation(version, "1") < activation(version, "0")


@pytest.mark.parametrize("version", ["0.11.1", "0.13.0", "0.16.0"])
def test_later_releases_sort_unless_they_are_asked_not_to(version: str) -> None:
    assert activation(version) == activation(version, "0") > activation(version, "1")


def test_no_release_since_0_17_sorts() -> None:
    assert activation("0.17.0") == activation("0.17.0", "0") == activation("0.17.0", "1")
