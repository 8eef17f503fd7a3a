"""Mistral's own tokenizers, which vLLM reads unasked from 0.12 on."""

import pytest

from l4serve.engines.traits import ModelTraits
from tests.engines.rule_cases import QWEN, errors, like

PIXTRAL = like(QWEN, id="mistralai/Pixtral-12B-2409", architecture="PixtralForConditionalGeneration")
MAGISTRAL = ModelTraits(id="mistralai/Magistral-Small-2506")
SMALL = like(QWEN, id="mistralai/Mistral-Small-3.1-24B-Instruct-2503", architecture="Mistral3ForConditionalGeneration")
TOKENIZER, CONFIG = "--tokenizer-mode=mistral", "--config-format=mistral"
BY_CLASS, BY_ID, BY_PROCESSOR = (
    "vllm-mistral-tokenizer-unasked",
    "vllm-tekken-alone",
    "vllm-mistral-tokenizer-for-a-processor",
)


@pytest.mark.parametrize(("version", "told"), [("0.8.3", True), ("0.11.2", True), ("0.12.0", False)])
@pytest.mark.parametrize(("model", "rule"), [(PIXTRAL, BY_CLASS), (MAGISTRAL, BY_ID)])
def test_it_is_asked_for_before_0_12(version: str, model: ModelTraits, rule: str, *, told: bool) -> None:
    assert (rule in errors("vllm", version, model)) is told
    assert (rule in errors("vllm", version, model, extra_args=("--tokenizer-mode=auto",))) is told
    assert rule not in errors("vllm", version, model, extra_args=(TOKENIZER,))
    assert rule not in errors("vllm", version, QWEN)


def test_another_repository_may_give_the_tokenizer() -> None:
    assert BY_ID not in errors("vllm", "0.9.2", MAGISTRAL, tokenizer="mistralai/Mistral-Small-24B-Instruct-2501")


@pytest.mark.parametrize(("version", "told"), [("0.8.3", True), ("0.11.2", True), ("0.12.0", False)])
def test_a_processor_of_transformers_takes_none(version: str, *, told: bool) -> None:
    assert (BY_PROCESSOR in errors("vllm", version, SMALL, extra_args=(TOKENIZER,))) is told
    assert BY_PROCESSOR not in errors("vllm", version, SMALL, extra_args=(TOKENIZER, CONFIG))
    assert BY_PROCESSOR not in errors("vllm", version, SMALL)


@pytest.mark.parametrize(("version", "refused"), [("0.8.0", True), ("0.11.2", True), ("0.12.0", False)])
def test_ministral_3_came_with_0_12(version: str, *, refused: bool) -> None:
    unseen = ModelTraits(id="mistralai/Ministral-3-8B-Instruct-2512")
    rule = "vllm-ministral-3-before-its-release"
    assert (rule in errors("vllm", version, unseen)) is refused
    assert rule not in errors("vllm", version, unseen, extra_args=(TOKENIZER, CONFIG))
