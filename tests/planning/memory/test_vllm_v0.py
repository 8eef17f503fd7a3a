"""Settings for which vLLM 0.8 to 0.10 serve by their V0 engine: its rules, and its swap space on the host."""

from typing import Any

import pytest
from packaging.version import Version

from l4serve.engines.releases.contract import contract_versions, load_contract
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.extra_flags import with_flags
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.host import host_needs
from l4serve.planning.memory.options import LoraOptions, ServingOptions
from l4serve.planning.memory.vllm_v0 import BOTH_ENGINES, fallback_table, serves_by_v0, swap_gib
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import ModelShape


def qwen() -> ModelShape:
    found = find_model("Qwen/Qwen2.5-7B-Instruct")
    assert found is not None
    return found


def asked(version: str, *flags: str, env: dict[str, str] | None = None, **fields: Any) -> ServingOptions:
    options = ServingOptions(engine="vllm", engine_version=version, max_model_len=8192, **fields)
    return with_flags(options, flags, env or {}, load_contract("vllm", version))


def fit(options: ServingOptions, accelerator: str = "nvidia-l4") -> Fit:
    gpu = find_gpu(accelerator)
    assert gpu is not None
    return estimate(qwen(), gpu, options)


@pytest.mark.parametrize(
    ("version", "flags", "fields", "by_v0"),
    [
        ("0.8.5", (), {}, False),
        ("0.8.2", (), {"lora": LoraOptions()}, True),
        ("0.8.3", (), {"lora": LoraOptions()}, False),
        ("0.8.2", (), {"cpu_offload_gib": 2.0}, True),
        ("0.9.0", (), {"cpu_offload_gib": 2.0}, False),
        ("0.8.5", (), {"pipeline_parallel_size": 2}, True),
        ("0.9.2", (), {"pipeline_parallel_size": 2}, False),
        ("0.9.1", (), {"pooling": True}, True),
        ("0.9.2", (), {"pooling": True}, False),
        ("0.9.1", (), {"dtype": "float32"}, True),
        ("0.8.5", (), {"num_speculative_tokens": 3, "speculative_method": "ngram"}, True),
        ("0.9.0", (), {"num_speculative_tokens": 3, "speculative_method": "ngram"}, False),
        ("0.9.2", (), {"num_speculative_tokens": 3, "speculative_method": "draft_model"}, True),
        ("0.9.2", ("--num-scheduler-steps=8",), {}, True),
        ("0.9.2", ("--num-scheduler-steps=1",), {}, False),
        ("0.9.1", ("--scheduling-policy", "priority"), {}, True),
        ("0.9.2", ("--scheduling-policy", "priority"), {}, False),
        ("0.10.1", ("--otlp-traces-endpoint", "http://a:4317"), {}, True),
        ("0.10.2", ("--otlp-traces-endpoint", "http://a:4317"), {}, False),
        ("0.11.0", (), {"pooling": True}, False),
    ],
)
def test_settings_that_v1_does_not_take_go_to_v0(
    version: str, flags: tuple[str, ...], fields: dict[str, Any], by_v0: bool
) -> None:
    assert serves_by_v0(qwen(), asked(version, *flags, **fields)) == by_v0


def test_the_environment_decides_where_it_says_so() -> None:
    by_v0, by_v1 = (asked("0.9.2", env={"VLLM_USE_V1": said}) for said in "01")
    assert serves_by_v0(qwen(), by_v0)
    assert not serves_by_v0(qwen(), by_v1)
    assert fit(by_v0) == fit(ServingOptions(engine="vllm", engine_version="0.7.3", max_model_len=8192))
    assert fit(by_v1) == fit(asked("0.9.2"))


def test_an_old_card_is_served_by_v1_from_0_10_2() -> None:
    old, new = (fit(asked(version), "nvidia-tesla-t4") for version in ("0.10.1", "0.10.2"))
    assert old == fit(ServingOptions(engine="vllm", engine_version="0.7.3", max_model_len=8192), "nvidia-tesla-t4")
    assert new != old


def test_v0_pins_swap_space_on_the_host_for_each_gpu() -> None:
    by_v0 = {"VLLM_USE_V1": "0"}
    plain, old = (host_needs(qwen(), asked("0.9.2", env=env, tensor_parallel_size=2)) for env in ({}, by_v0))
    assert old.minimum_memory_gib == plain.minimum_memory_gib + 2 * 4.0
    assert swap_gib(qwen(), asked("0.9.2", env=by_v0, swap_gib=0.0)) == 0.0
    assert swap_gib(qwen(), asked("0.9.2", swap_gib=16.0)) == 0.0


@pytest.mark.parametrize(("version", "mib"), [("0.8.3", 256), ("0.11.0", 256), ("0.11.1", 394), ("0.26.0", 394)])
def test_flashinfers_buffer_is_the_releases_own(version: str, mib: int) -> None:
    asks = asked(version, attention_backend="FLASHINFER")
    assert fit(asks).workspace_gib == mib / 1024


def test_a_class_that_v1_does_not_take_is_served_by_v0_as_long_as_the_contracts_say() -> None:
    first, last = (".".join(map(str, version)) for version in BOTH_ENGINES)
    for name, until in fallback_table()["architectures"].items():
        for release in contract_versions("vllm"):
            if Version(first) <= Version(release) < Version(last):
                served = load_contract("vllm", release).served(name)
                assert (served is not None and "v0-only" in served.traits) is (Version(release) < Version(until)), name
