"""config.json files are read as the engines read them, or refused with the key at fault."""

import pytest

from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import LayerKind

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "intermediate_size": 14336,
    "max_position_embeddings": 8192,
    "torch_dtype": "bfloat16",
}


def read(**changes: object) -> object:
    return shape_from_config({**LLAMA, **changes}, model_id="me/mine", source="test")


def test_a_plain_config_is_read() -> None:
    facts = shape_from_config(LLAMA, model_id="me/mine", source="test")
    assert (facts.head_dim, facts.num_key_value_heads, facts.tie_word_embeddings) == (128, 8, False)
    assert facts.count_layers(LayerKind.FULL) == 32


@pytest.mark.parametrize("key", ["routed_expert_hidden_size", "hc_mult"])
def test_a_key_that_changes_the_size_and_is_not_read_is_no_shape(key: str) -> None:
    with pytest.raises(ModelConfigError, match=f"`{key}`.*leave model.config out"):
        read(**{key: 4})


YARN = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8192}


@pytest.mark.parametrize(
    ("scaling", "context"),
    [
        ({"rope_scaling": YARN}, 32768),
        ({"rope_scaling": YARN, "max_position_embeddings": 32768}, 32768),
        ({"rope_parameters": {"rope_type": "yarn", **YARN}}, 32768),
        ({"rope_parameters": {"full_attention": YARN, "sliding_attention": {"rope_type": "default"}}}, 32768),
        ({"rope_scaling": {"rope_type": "linear", "factor": 2}}, 16384),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 1024}}, 8192),
        ({"rope_scaling": {"type": "longrope", "long_factor": [1.0], "short_factor": [1.0]}}, 8192),
        ({"rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}}, 8192),
        ({"rope_scaling": {"rope_type": "default", "factor": None}}, 8192),
        ({"rope_scaling": YARN, "architectures": ["Gemma3ForCausalLM"]}, 8192),
        ({"rope_scaling": None}, 8192),
    ],
)
def test_the_context_counts_rotary_scaling_as_vllm_does(scaling: dict[str, object], context: int) -> None:
    facts = shape_from_config({**LLAMA, **scaling}, model_id="me/mine", source="test")
    assert facts.max_position_embeddings == context


@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"])
def test_a_missing_key_is_named(key: str) -> None:
    config = {name: value for name, value in LLAMA.items() if name != key}
    with pytest.raises(ModelConfigError, match=key):
        shape_from_config(config, model_id="me/mine", source="test")


@pytest.mark.parametrize("value", ["many", 3.5, True, -1])
def test_a_value_that_is_no_count_is_named(value: object) -> None:
    with pytest.raises(ModelConfigError, match="num_hidden_layers"):
        read(num_hidden_layers=value)


def test_a_file_that_is_no_model_is_refused() -> None:
    with pytest.raises(ModelConfigError, match="architectures"):
        shape_from_config({"peft_type": "LORA"}, model_id="me/adapter", source="test")


def test_layer_types_that_the_model_cannot_judge_are_named() -> None:
    with pytest.raises(ModelConfigError, match="mamba"):
        read(layer_types=["mamba"] * 32)
    with pytest.raises(ModelConfigError, match="3 layer types for 32 layers"):
        read(layer_types=["full_attention"] * 3)


def test_one_query_group_of_falcon_is_one_kv_head() -> None:
    facts = shape_from_config(
        {
            "architectures": ["FalconForCausalLM"],
            "hidden_size": 4544,
            "num_hidden_layers": 32,
            "num_attention_heads": 71,
            "multi_query": True,
            "vocab_size": 65024,
        },
        model_id="f",
        source="test",
    )
    assert (facts.num_key_value_heads, facts.intermediate_size, facts.gated_mlp) == (1, 4 * 4544, False)


def test_an_unused_sliding_window_is_ignored() -> None:
    facts = shape_from_config(
        {**LLAMA, "architectures": ["Qwen2ForCausalLM"], "sliding_window": 131072, "use_sliding_window": False},
        model_id="q",
        source="test",
    )
    assert facts.sliding_window is None
    assert not facts.layer_kinds


def test_mistral_slides_in_every_layer_and_gemma_2_in_every_other() -> None:
    mistral = shape_from_config(
        {**LLAMA, "architectures": ["MistralForCausalLM"], "sliding_window": 4096}, model_id="m", source="test"
    )
    gemma = shape_from_config(
        {**LLAMA, "architectures": ["Gemma2ForCausalLM"], "sliding_window": 4096}, model_id="g", source="test"
    )
    assert mistral.count_layers(LayerKind.SLIDING) == 32
    assert gemma.count_layers(LayerKind.SLIDING) == 16


def test_linear_attention_without_layer_types_follows_its_interval() -> None:
    linear = {"linear_num_key_heads": 16, "linear_num_value_heads": 32, "linear_key_head_dim": 128}
    config = {**LLAMA, **linear, "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4}
    every_fourth = shape_from_config(config, model_id="n", source="test")
    every_eighth = shape_from_config({**config, "full_attention_interval": 8}, model_id="n", source="test")
    assert every_fourth.count_layers(LayerKind.FULL) == 8
    assert every_eighth.count_layers(LayerKind.FULL) == 4
    assert every_eighth.count_layers(LayerKind.LINEAR) == 28


@pytest.mark.parametrize(
    ("config", "method", "bits", "group"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}, "awq", 4, 128),
        ({"quant_method": "gptq", "bits": 8, "group_size": 128, "sym": True}, "gptq", 8, 128),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8", 8, 16384),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes", 4, 64),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, "modelopt", 8, -1),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16}, "modelopt_fp4", 4, 16),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"num_bits": 4, "group_size": 128}}},
            },
            "compressed-tensors",
            4,
            128,
        ),
    ],
)
def test_quantisation_configs(config: dict[str, object], method: str, bits: float, group: int) -> None:
    facts = shape_from_config({**LLAMA, "quantization_config": config}, model_id="q", source="test")
    assert facts.quantization is not None
    assert (facts.quantization.method, facts.quantization.bits, facts.quantization.group_size) == (method, bits, group)


def test_ids_are_found_in_any_case_and_under_their_own_name() -> None:
    alias = find_model("GOOGLE/gemma-7B-IT")
    assert alias is not None
    assert (alias.id, alias.gated) == ("google/gemma-7b-it", True)
    assert find_model("nobody/nothing") is None


def test_an_open_mirror_of_a_gated_shape_is_not_gated() -> None:
    mirror = find_model("deepseek-ai/DeepSeek-R1-Distill-Llama-8B")
    gated = find_model("meta-llama/Llama-3.1-8B")
    assert mirror is not None
    assert gated is not None
    assert (mirror.gated, gated.gated) == (False, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantization_config": {"quant_method": "gptq", "bits": "four"}},
        {"quantization_config": {"quant_method": "fp8", "weight_block_size": []}},
        {"quantization_config": {"quant_method": "compressed-tensors", "config_groups": True}},
        {"num_hidden_layers": 10**9},
        {"hidden_size": 1},
    ],
)
def test_values_of_the_wrong_kind_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ModelConfigError, match=r"^m: "):
        shape_from_config({**LLAMA, "head_dim": None, **wrong}, model_id="m", source="test")


def test_experts_are_counted_under_every_name_that_files_give_them() -> None:
    """The words of ERNIE 4.5's and Step 3.5's config.json."""
    told = {"moe_num_experts": 64, "moe_k": 6, "moe_intermediate_size": 1536, "moe_layer_start_index": 1}
    experts = shape_from_config({**LLAMA, **told, "moe_num_shared_experts": 2}, model_id="m", source="test").moe
    assert experts is not None
    assert (experts.num_experts, experts.num_experts_per_tok, experts.num_dense_layers) == (64, 6, 1)
    assert experts.shared_intermediate_size == 2 * 1536
    shared = shape_from_config({**LLAMA, **told, "share_expert_dim": 1280}, model_id="m", source="test").moe
    assert shared is not None
    assert shared.shared_intermediate_size == 1280


def test_a_modern_bert_is_an_encoder() -> None:
    assert shape_from_config({**LLAMA, "architectures": ["ModernBertModel"]}, model_id="m", source="test").is_encoder


def test_a_hybrid_class_whose_layers_all_attend_keeps_no_state() -> None:
    """Granite 4.0 Micro's words: its plan ended as a bug."""
    granite = {
        **LLAMA,
        "architectures": ["GraniteMoeHybridForCausalLM"],
        "num_hidden_layers": 2,
        "layer_types": ["attention", "attention"],
        "shared_intermediate_size": 8192,
        "mamba_n_heads": 128,
        "mamba_d_head": 64,
        "mamba_expand": 2,
        "mamba_n_groups": 1,
        "mamba_d_state": 128,
        "mamba_d_conv": 4,
        "mamba_chunk_size": 256,
    }
    shape = shape_from_config(granite, model_id="m", source="test")
    assert (shape.linear_state, shape.layer_kinds) == (None, ())
