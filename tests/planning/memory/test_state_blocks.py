"""Blocks as long as a state is large, which a step must hold where states are kept for prefixes (vllm#36734)."""

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.remedies import remedies
from l4serve.planning.models.catalogue import find_model

MODEL, CARD = find_model("Qwen/Qwen3.5-122B-A10B-GPTQ-Int4"), find_gpu("nvidia-a100-80gb")
assert MODEL is not None
assert CARD is not None


def asked(version: str, *, prefixes: bool = True, tokens: int | None = None) -> ServingOptions:
    return ServingOptions(
        engine="vllm",
        engine_version=version,
        tensor_parallel_size=2,
        max_model_len=131072,
        max_num_seqs=16,
        max_num_batched_tokens=tokens,
        enable_prefix_caching=prefixes,
    )


@pytest.mark.parametrize(
    ("version", "prefixes", "tokens", "fits"),
    [
        ("0.16.0", True, 2048, True),
        ("0.17.0", True, 2048, False),
        ("0.26.0", True, 2048, False),
        ("0.28.0", True, 2048, True),
        ("0.17.0", False, 2048, True),
        ("0.17.0", True, 4096, True),
    ],
)
def test_a_step_holds_a_block(version: str, *, prefixes: bool, tokens: int, fits: bool) -> None:
    found = estimate(MODEL, CARD, asked(version, prefixes=prefixes, tokens=tokens))
    assert found.fits is fits, found.reasons
    assert fits or "a block of 2096 tokens" in found.reasons[0]


def test_the_remedy_is_a_larger_step() -> None:
    cures = remedies(MODEL, CARD, asked("0.17.0", tokens=2048))
    assert dict(cures[0].edit) == {"engine.maxNumBatchedTokens": 4096}
