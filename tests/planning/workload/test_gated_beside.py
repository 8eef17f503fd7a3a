"""Gated repositories that a workload reads beside its model: pods get a token, or the plan says that none is set."""

from typing import Any

import pytest

from tests import factories

GATED = "meta-llama/Llama-3.1-8B-Instruct"
DRAFT = "meta-llama/Llama-3.2-1B-Instruct"
CLAIM = {"kind": "claim", "claim": "weights"}


def missing(*, gated: bool | None = None, source: dict[str, Any] | None = CLAIM, **fields: Any) -> tuple[str, ...]:
    chat = factories.workload(**fields)
    chat["model"] |= {key: value for key, value in (("gated", gated), ("source", source)) if value is not None}
    plan = factories.planned(factories.serving({"chat": chat}))
    (workload,) = plan.workloads
    assert (workload.secret is not None) is bool(plan.token_missing)
    assert any(note.path == "huggingFace" for note in plan.notes) is bool(plan.token_missing)
    return plan.token_missing


@pytest.mark.parametrize(
    "fields",
    [
        {"engine": {"tokenizer": GATED}},
        {"extraArgs": [f"--hf-config-path={GATED}"]},
        {"extraArgs": ["--hf-config-path", GATED]},
        {"engine": {"tokenizer": GATED}, "source": None},
        {"gated": True, "engine": {"tokenizer": "my/own-tokenizer"}},
        {"engine": {"lora": {"adapters": [{"name": "s", "path": "my/s"}]}}, "gated": True},
    ],
)
def test_a_gated_repository_beside_the_model_wants_a_token(fields: dict[str, Any]) -> None:
    assert missing(**fields) == ("chat",)


def test_a_gated_draft_wants_a_token() -> None:
    draft = {"model": DRAFT, "num_speculative_tokens": 3}
    assert missing(model=GATED, engine={"speculativeConfig": draft}) == ("chat",)


@pytest.mark.parametrize(
    "fields", [{}, {"gated": True}, {"engine": {"tokenizer": factories.SMALL}}, {"model": GATED}, {"source": None}]
)
def test_what_is_not_gated_or_not_of_the_hub_wants_none(fields: dict[str, Any]) -> None:
    assert missing(**fields) == ()
