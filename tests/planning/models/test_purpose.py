"""What a class of models answers with, by the release that serves it."""

import pytest

from l4serve.config.keys.workload import Workload
from l4serve.engines.releases.contract import load_contract
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.purpose import purpose_of_class
from l4serve.planning.workload.judgement.served_purpose import served_purpose


@pytest.mark.parametrize(
    ("version", "architecture", "purpose"),
    [
        ("0.8.5", "Qwen2ForProcessRewardModel", "reward"),
        ("0.10.2", "Qwen2ForProcessRewardModel", "reward"),
        ("0.26.0", "Qwen2ForProcessRewardModel", "reward"),
        ("0.11.0", "BertForTokenClassification", "token"),
        ("0.18.0", "BertForTokenClassification", "token"),
        ("0.11.0", "BertForSequenceClassification", "classify"),
        ("0.9.2", "GPT2ForSequenceClassification", "classify"),
        ("0.10.2", "BertModel", "embed"),
        ("0.10.2", "RobertaForMaskedLM", "embed"),
        ("0.10.2", "Qwen3ForCausalLM", None),
    ],
)
def test_a_class_answers_alike_wherever_a_release_lists_it(
    version: str, architecture: str, purpose: str | None
) -> None:
    served = load_contract("vllm", version).served(architecture)
    assert served is not None
    assert purpose_of_class(architecture, served.kind) == purpose


@pytest.mark.parametrize("version", ["0.9.2", "0.10.2", "0.26.0"])
def test_a_reranker_is_asked_as_the_class_that_overrides_its_own(version: str) -> None:
    overrides = (
        '--hf-overrides={"architectures": ["Qwen3ForSequenceClassification"], "classifier_from_token": ["no", "yes"]}'
    )
    contract, shape = load_contract("vllm", version), find_model("Qwen/Qwen3-Reranker-0.6B")
    plain = Workload.model_validate(
        {"model": {"id": "Qwen/Qwen3-Reranker-0.6B"}, "engine": {"kind": "vllm", "version": version}}
    )
    assert served_purpose(plain, shape, contract) == "generate"
    asked = plain.model_copy(update={"extra_args": (overrides,)})
    assert served_purpose(asked, shape, contract) == "classify"
