"""Drafts beside shards, and states that are kept for prefixes: what a release stops at."""

from typing import Any

import pytest

from tests.engines.rule_cases import QWEN, errors, like

GRAPHS, DRAFT = "vllm-graphs-of-drafts-and-shards", "vllm-draft-model-on-other-shards"
STATES = like(QWEN, architecture="Qwen3_5ForConditionalGeneration", cache_groups="states")
CHUNKS = "vllm-states-of-prefixes-without-chunks"


def drafting(tokens: int, **more: Any) -> dict[str, Any]:
    return {"speculativeConfig": {"method": "ngram", "num_speculative_tokens": tokens, "prompt_lookup_max": 4} | more}


@pytest.mark.parametrize(
    ("version", "tokens", "shards", "refused"),
    [
        ("0.11.1", 2, 4, True),
        ("0.11.1", 2, 2, True),
        ("0.11.1", 3, 4, False),
        ("0.11.1", 5, 2, False),
        ("0.11.1", 2, 1, False),
        ("0.11.2", 2, 4, False),
        ("0.11.0", 2, 4, False),
    ],
)
def test_graphs_of_drafts_and_shards(version: str, tokens: int, shards: int, *, refused: bool) -> None:
    asked = drafting(tokens)
    assert (GRAPHS in errors("vllm", version, QWEN, tp=shards, **asked)) is refused
    assert GRAPHS not in errors("vllm", version, QWEN, tp=shards, enforceEager=True, **asked)


def test_a_draft_model_is_sharded_as_its_target() -> None:
    def found(version: str, shards: int | None) -> bool:
        asked = {"method": "draft_model", "model": "Qwen/Qwen3-0.6B", "draft_tensor_parallel_size": shards}
        settings = drafting(3, **{key: value for key, value in asked.items() if value is not None})
        return DRAFT in errors("vllm", version, QWEN, tp=2, tensorParallelSize=2, **settings)

    assert [found("0.19.1", shards) for shards in (1, 2, None)] == [True, False, False]
    assert found("0.33.0", 1)


def test_states_of_prefixes_need_chunks() -> None:
    asked = {"enablePrefixCaching": True, "enableChunkedPrefill": False}
    assert CHUNKS in errors("vllm", "0.19.1", STATES, **asked)
    assert CHUNKS not in errors("vllm", "0.19.1", QWEN, **asked)
    assert CHUNKS not in errors("vllm", "0.19.1", like(STATES, state_heads=64), **asked)
    assert CHUNKS not in errors("vllm", "0.19.1", STATES, enableChunkedPrefill=False)
    assert CHUNKS not in errors("vllm", "0.33.0", STATES, **asked)
