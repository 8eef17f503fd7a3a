"""Layers that each have a shape of their own are counted one by one: Nemotron Super, which a search made narrower."""

from typing import Any

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import LayerKind, ModelShape

SUPER = "nvidia/Llama-3_3-Nemotron-Super-49B-v1"
ATTENDS = {"n_heads_in_group": 4}


def read(*blocks: dict[str, Any], **changes: Any) -> ModelShape:
    config = {
        "architectures": ["DeciLMForCausalLM"],
        "hidden_size": 1024,
        "num_hidden_layers": len(blocks),
        "num_attention_heads": 8,
        "vocab_size": 1024,
        "block_configs": list(blocks),
    }
    return shape_from_config({**config, **changes}, model_id="me/mine", source="test")


def found(model_id: str) -> ModelShape:
    model = find_model(model_id)
    assert model is not None
    return model


def test_each_layer_has_what_it_states() -> None:
    shape = read(
        {"attention": ATTENDS, "ffn": {"ffn_mult": 2.0}},
        {"attention": {"no_op": True}, "ffn": {"ffn_mult": 0.5}},
        {"attention": {"no_op": True}, "ffn": {"no_op": True}},
        {"attention": ATTENDS, "ffn": {"intermediate_size": 512}},
    )
    assert shape.layer_kinds == (LayerKind.FULL, LayerKind.NONE, LayerKind.NONE, LayerKind.FULL)
    assert shape.num_key_value_heads == 2
    # Two thirds of a multiple of 1,024, rounded up to 256.
    assert (shape.intermediate_size, shape.mlp_widths) == (1536, 1536 + 512 + 0 + 512)
    assert rank_parameters(shape).dense_mlp == 3 * 1024 * 2560
    assert rank_parameters(shape, 2).dense_mlp == 3 * 1024 * 1280


def test_a_nemotron_super_of_49b_counts_as_49_billion_and_not_as_88() -> None:
    parts = vars(rank_parameters(found(SUPER)))
    assert sum(parts.values()) == pytest.approx(49.87e9, rel=0.001)
    assert found(SUPER).count_layers(LayerKind.FULL) == 49


def test_its_checkpoint_of_8_bits_keeps_words_in_16() -> None:
    gpu = find_gpu("nvidia-h100-80gb")
    assert gpu is not None
    options = ServingOptions(
        engine="vllm", engine_version="0.26.0", tensor_parallel_size=2, max_model_len=8192, gpu_memory_utilization=0.9
    )
    fit = estimate(found(f"{SUPER}-FP8"), gpu, options)
    assert fit.weights_gib == pytest.approx((47.77e9 + 2 * 2.1e9) / 2 / 2**30, rel=0.01)
    assert fit.kv_cache_tokens > 200_000


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([{"attention": {"no_op": True}, "ffn": {"ffn_mult": 1}}], "several counts of keys, or no attention"),
        (
            [{"attention": {"n_heads_in_group": n}, "ffn": {"ffn_mult": 1}} for n in (2, 4)],
            "several counts of keys, or no attention",
        ),
        ([{"attention": ATTENDS, "ffn": {"replace_with_linear": True}}], "a matrix in place of ffn"),
        ([{"attention": ATTENDS, "ffn": {"ffn_mult": "wide"}}], "it must be a number above 0"),
        ([{"attention": ATTENDS}], "layers with `attention` and `ffn`"),
        ([{"attention": {"n_heads_in_group": 0}, "ffn": {"ffn_mult": 1}}], "from 1 on"),
    ],
)
def test_what_is_not_modelled_is_no_shape(blocks: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ModelConfigError, match=words):
        read(*blocks)


def test_a_list_of_another_length_is_no_shape() -> None:
    with pytest.raises(ModelConfigError, match="a list of 3 layers"):
        read({"attention": ATTENDS, "ffn": {"ffn_mult": 1}}, num_hidden_layers=3)
