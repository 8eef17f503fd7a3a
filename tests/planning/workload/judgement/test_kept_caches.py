"""A checkpoint that asks for a KV cache of eight bits meets the rules as the flag does."""

import pytest

from l4serve.config.keys.workload import Workload
from l4serve.engines.gpu_layout import gpu_layout
from l4serve.engines.releases.resolution import resolve_contract
from l4serve.engines.rules import judge
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.workload.judgement.subject import Subject
from tests.factories import workload

LATENT, PLAIN = "nvidia/DeepSeek-V3.1-NVFP4", "nvidia/Llama-3.1-8B-Instruct-FP8"
ON_TRITON, BEFORE_ADA = "vllm-fp8-kv-of-latent-attention-on-triton", "vllm-fp8-kv-of-latent-attention-before-ada"


def errors(model: str, version: str, card: str, asked: str | None = None) -> dict[str | None, str]:
    """Rules that refuse a model over eight cards, with their remedies."""
    engine = {"version": version, "tensorParallelSize": 8, "maxModelLen": 8192, "kvCacheDtype": asked}
    config = Workload.model_validate(workload(model, engine=engine, gpus=8))
    gpu, shape = find_gpu(card), find_model(model)
    assert gpu is not None
    assert shape is not None
    layout = gpu_layout("workloads.a", config)
    subject = Subject(workload=config, shape=shape, resolved=resolve_contract("vllm", version), layout=layout, card=gpu)
    return {verdict.rule_id: verdict.remedy for verdict in judge(subject.case) if verdict.severity == "error"}


@pytest.mark.parametrize(
    ("model", "version", "card", "rule", "remedy"),
    [
        (LATENT, "0.13.0", "nvidia-rtx-pro-6000", None, ""),
        (
            LATENT,
            "0.14.0",
            "nvidia-rtx-pro-6000",
            ON_TRITON,
            "engine.version: 0.26.0 and engine.kvCacheDtype: bfloat16",
        ),
        (LATENT, "0.14.0", "nvidia-h200-141gb", None, ""),
        (LATENT, "0.18.0", "nvidia-rtx-pro-6000", None, ""),
        (LATENT, "0.26.0", "nvidia-a100-80gb", BEFORE_ADA, "set engine.kvCacheDtype: bfloat16"),
        (PLAIN, "0.26.0", "nvidia-a100-80gb", None, ""),
    ],
)
def test_rules_read_the_cache_that_a_checkpoint_asks_for(
    model: str, version: str, card: str, rule: str | None, remedy: str
) -> None:
    found = errors(model, version, card)
    assert (rule in found) == (rule is not None)
    assert remedy in found.get(rule, "")
    assert not {ON_TRITON, BEFORE_ADA} & set(errors(model, version, card, "bfloat16"))
