"""Which texts name a model of the Hub, or one GGUF file of a repository there."""

import pytest

from l4serve.config.keys.workload import Model
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.words.model_ids import file_type, hub_id, without_address
from tests import factories


@pytest.mark.parametrize(
    ("named", "how"),
    [
        ("unsloth/Qwen3-0.6B-GGUF:Q4_K", "type"),
        ("unsloth/Qwen3-0.6B-GGUF:IQ4_NL", "type"),
        ("unsloth/Qwen3-0.6B-GGUF:Q4_K_M", "size"),
        ("unsloth/Qwen3-0.6B-GGUF:UD-Q4_K_XL", "prefix"),
        ("unsloth/Qwen3-0.6B-GGUF", None),
    ],
)
def test_a_type_after_a_colon_names_a_file(named: str, how: str | None) -> None:
    assert hub_id(named) == named
    assert file_type(named) == how


@pytest.mark.parametrize("text", ["Qwen/Qwen3-8B:main", "gpt2:Q4_K", "Qwen/Qwen3-8B:Q4_K/x"])
def test_no_other_text_may_stand_there(text: str) -> None:
    with pytest.raises(ValueError, match="is not a model id of the Hub"):
        hub_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "Qwen/Qwen2.5-7B-Instruct/",
        "hf.co/Qwen/Qwen2.5-7B-Instruct",
        "hf://Qwen/Qwen2.5-7B-Instruct",
        "Qwen\\Qwen2.5-7B-Instruct",
        "Qwen/Qwen2.5-7B-Instruct?",
        "https://huggingface.co/Qwen/Qwen2.5-7B-Instruct",
    ],
)
def test_an_id_with_something_around_it_is_shown_and_read_out(text: str) -> None:
    assert without_address(text) == "Qwen/Qwen2.5-7B-Instruct"
    told = refusal_of(text)
    assert repr(text) in told and "write it as Qwen/Qwen2.5-7B-Instruct" in told


def refusal_of(model: str) -> str:
    with pytest.raises(ConfigError) as refused:
        factories.planned(factories.serving({"qwen": factories.workload(model=model)}))
    return str(refused.value)


def test_a_file_of_the_hub_lies_nowhere_else() -> None:
    place = {"kind": "claim", "claim": "weights"}
    assert Model.model_validate({"id": "o/n", "source": place}).id == "o/n"
    with pytest.raises(ValueError, match="id names one file of a repository"):
        Model.model_validate({"id": "o/n:Q4_K", "source": place})
