"""CPU memory, shared memory and disk beside the GPU."""

import pytest

from l4serve.planning.memory.host import checkpoint_gib, host_needs
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import ModelShape


def facts(model_id: str) -> ModelShape:
    model = find_model(model_id)
    assert model is not None
    return model


TGI = ServingOptions(engine="tgi", engine_version="2.3.1")


def test_a_seven_billion_model_in_seven_gib_is_warned_of() -> None:
    warnings = host_needs(facts("google/gemma-7b"), TGI).warnings(memory_gib=7, shm_gib=1)
    assert len(warnings) == 1
    assert "memory of 7.0 GiB" in warnings[0]


def test_the_guides_other_pods_have_room() -> None:
    vllm = ServingOptions(engine="vllm", engine_version="0.10.0")
    needs = host_needs(facts("google/gemma-7b"), vllm)
    assert needs.warnings(memory_gib=25, shm_gib=1) == ()
    assert (needs.memory_shortage(25), needs.disk_shortage(30)) == (None, None)


def test_a_pod_below_resident_memory_is_killed() -> None:
    shortage = host_needs(facts("google/gemma-7b"), TGI).memory_shortage(2)
    assert shortage is not None
    assert "OOMKilled" in shortage


def test_ranks_need_workers_and_shared_memory() -> None:
    one = host_needs(facts("google/gemma-7b"), TGI)
    two = host_needs(
        facts("google/gemma-7b"), ServingOptions(engine="tgi", engine_version="2.3.1", tensor_parallel_size=2)
    )
    assert two.minimum_memory_gib > one.minimum_memory_gib
    assert two.shm_gib == 1.0
    assert two.warnings(memory_gib=25, shm_gib=0.0625)


def test_the_download_is_the_stored_format_not_the_loaded_one() -> None:
    online = ServingOptions(engine="vllm", engine_version="0.26.0", quantization="fp8")
    assert checkpoint_gib(facts("google/gemma-7b"), online) == pytest.approx(15.9, abs=0.01)
    assert checkpoint_gib(
        facts("Qwen/Qwen3-8B-AWQ"), ServingOptions(engine="vllm", engine_version="0.26.0")
    ) == pytest.approx(5.68, abs=0.01)


def test_disk_counts_weights_for_the_pod_and_the_image_for_the_node() -> None:
    needs = host_needs(facts("google/gemma-7b"), TGI)
    assert needs.ephemeral_gib > 15.9
    assert needs.node_disk_gib > needs.ephemeral_gib + 10
