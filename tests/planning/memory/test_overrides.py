"""Overrides of config.json: those of the shape leave memory unjudged, and those of labels and positions do not."""

import pytest

from tests.planning.memory.test_extra_flags import asked


def test_overrides_that_name_pooling_classes_labels_and_positions_move_no_memory() -> None:
    reranker = '{"architectures":["Qwen3ForSequenceClassification"],"classifier_from_token":["no","yes"]}'
    stretched = '--hf-overrides={"text_config":{"rope_parameters":{"rope_type":"yarn","factor":4.0}}}'
    for harmless in (f"--hf-overrides={reranker}", "--hf-overrides.max_position_embeddings=65536", stretched):
        assert asked(harmless, max_model_len=8192).unjudged == ()


OVERRIDES = {
    '--hf-overrides={"num_hidden_layers":4}': "num_hidden_layers of config.json",
    '--hf-overrides={"text_config":{"num_hidden_layers":4}}': "text_config.num_hidden_layers of config.json",
    "--hf-overrides.text_config.hidden_size=4": "text_config.hidden_size of config.json",
    '--hf-overrides={"architectures":["Gemma3ForCausalLM"]}': "architectures of config.json",
    '--hf-overrides={"architectures":"x"}': "architectures of config.json",
    '--hf-overrides={"quantization_config":{}}': "quantization_config of config.json",
    "--hf-config-path=me/other": "--hf-config-path (takes the shape from another config.json)",
}


@pytest.mark.parametrize("argument", OVERRIDES)
def test_overrides_of_the_shape_leave_memory_unjudged(argument: str) -> None:
    assert asked(argument, max_model_len=8192).unjudged == (OVERRIDES[argument],)


@pytest.mark.parametrize(
    ("argument", "key", "version"),
    [
        ('--hf-overrides={"max_position_embeddings":1000000}', "max_position_embeddings", "0.26.0"),
        ('--hf-overrides={"rope_parameters":{"rope_type":"yarn","factor":4}}', "rope_parameters", "0.26.0"),
        ("--hf-overrides.rope_scaling.factor=4", "rope_scaling.factor", "0.26.0"),
        ('--rope-scaling={"rope_type":"yarn","factor":4}', "rope_scaling", "0.10.2"),
    ],
)
def test_a_context_that_follows_an_override_is_judged_where_the_length_is_asked_for(
    argument: str, key: str, version: str
) -> None:
    assert asked(argument, version=version, max_model_len=8192).unjudged == ()
    assert asked(argument, version=version).unjudged == (f"{key} of config.json without engine.maxModelLen",)
