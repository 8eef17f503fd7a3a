"""Models that lie on the Hub under a second owner."""

from l4serve.planning.models.catalogue import find_model
from tests.each_case import each


@each(
    [
        ("RedHatAI/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct", False),
        ("RedHatAI/gpt-oss-20b", "openai/gpt-oss-20b", False),
        ("unsloth/Qwen3-VL-8B-Instruct", "Qwen/Qwen3-VL-8B-Instruct", False),
        ("unsloth/gemma-3-4b-it", "google/gemma-3-4b-it", False),
        ("NousResearch/Llama-2-13b-chat-hf", "meta-llama/Llama-2-13b-chat-hf", False),
        ("RedHatAI/gemma-2-9b-it-FP8", "neuralmagic/gemma-2-9b-it-FP8", False),
        ("THUDM/GLM-4-9B-0414", "zai-org/GLM-4-9B-0414", False),
    ],
    lambda case: case[0],
)
def test_a_copy_has_the_facts_of_what_it_copies(case: tuple[str, str, bool]) -> None:
    copy, original = find_model(case[0]), find_model(case[1])
    assert copy is not None
    assert original is not None
    assert (copy.id, copy.gated, copy.source) == (case[0], case[2], original.source)
    assert (copy.hidden_size, copy.quantization) == (original.hidden_size, original.quantization)


@each(["me/gemma-3-4b-it", "unsloth/None-8B", "NousResearch/Nous-Hermes-2-Yi-34B", "unsloth/Qwen3-8B-GGUF"], str)
def test_others_are_no_copies(model_id: str) -> None:
    assert find_model(model_id) is None


@each(["cross-encoder/ms-marco-MiniLM-L6-v2", "cross-encoder/ms-marco-MiniLM-L12-v2"], str)
def test_the_hubs_new_name_of_a_model_is_known(model_id: str) -> None:
    assert find_model(model_id) is not None
