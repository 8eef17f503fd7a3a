"""What the engine once had and dropped, or never took over: refused where it ends, and not beside it."""

from typing import Any

import pytest

from l4serve.engines.traits import ModelTraits
from tests.engines.rule_cases import A100, QWEN, T4, errors, like, verdicts


@pytest.mark.parametrize(
    ("version", "extra_args", "extra_env", "rule"),
    [
        ("0.10.2", ("--max-num-partial-prefills=2",), {}, None),
        ("0.11.0", ("--max-num-partial-prefills=2",), {}, "vllm-partial-prefills"),
        ("0.26.0", ("--max-long-partial-prefills", "4"), {}, "vllm-partial-prefills"),
        ("0.26.0", ("--max-num-partial-prefills=1",), {}, None),
        ("0.16.0", ("--logits-processor-pattern=a.*",), {}, "vllm-logits-processor-pattern"),
        ("0.11.0", ("--enable-log-outputs",), {}, "vllm-logged-outputs-without-requests"),
        ("0.33.0", ("--enable-log-outputs", "--enable-log-requests"), {}, None),
        ("0.10.2", ("--enable-log-outputs",), {}, None),
        ("0.10.2", (), {"VLLM_USE_V1": "0"}, None),
        ("0.11.0", (), {"VLLM_USE_V1": "0"}, "vllm-v1-alone"),
        ("0.11.0", (), {"VLLM_USE_V1": "1"}, None),
    ],
)
def test_what_v1_lacks_is_refused_where_there_is_no_v0(
    version: str, extra_args: tuple[str, ...], extra_env: dict[str, str], rule: str | None
) -> None:
    assert errors("vllm", version, QWEN, extra_args=extra_args, extra_env=extra_env) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("version", "speculative", "refused"),
    [
        ("0.9.2", {"model": "Qwen/Qwen2.5-0.5B-Instruct"}, False),
        ("0.10.0", {"model": "Qwen/Qwen2.5-0.5B-Instruct"}, True),
        ("0.14.1", {"model": "Qwen/Qwen2.5-0.5B-Instruct"}, True),
        ("0.14.1", {"method": "draft_model", "model": "Qwen/Qwen2.5-0.5B-Instruct"}, True),
        ("0.14.1", {"model": "yuhuili/EAGLE3-LLaMA3.1-Instruct-8B"}, False),
        ("0.14.1", {"method": "ngram"}, False),
        ("0.15.0", {"model": "Qwen/Qwen2.5-0.5B-Instruct"}, False),
    ],
)
def test_draft_models_left_with_v0_and_came_back_with_0_15(
    version: str, speculative: dict[str, str], refused: bool
) -> None:
    found = errors("vllm", version, QWEN, speculativeConfig={**speculative, "num_speculative_tokens": 3})
    assert ("vllm-draft-model-speculation" in found) is refused


EXPERTS = like(QWEN, architecture="Qwen3MoeForCausalLM", num_attention_heads=64, expert_intermediate_size=1536)
FP8_EXPERTS = like(EXPERTS, quantization_method="fp8", quantization_group=128 * 128, quantization_bits=8)


@pytest.mark.parametrize(
    ("shared", "extra_args", "refused"),
    [
        (0, (), True),
        (0, ("--enable-expert-parallel",), False),
        (0, ("-ep",), False),
        (0, ("--enable-expert-parallel", "--no-enable-expert-parallel"), True),
        (512, ("--enable-expert-parallel",), True),
        (2048, ("--enable-expert-parallel",), False),
    ],
)
def test_whole_experts_cut_no_fp8_blocks(shared: int, extra_args: tuple[str, ...], refused: bool) -> None:
    """As Qwen3-235B-A22B-FP8 runs on eight GPUs, and Qwen3.6-35B-A3B-FP8 with its shared expert does not."""
    model = like(FP8_EXPERTS, shared_intermediate_size=shared)
    found = errors("vllm", "0.19.0", model, tp=8, gpus=8, extra_args=extra_args)
    assert ("vllm-fp8-blocks-not-divisible" in found) is refused


@pytest.mark.parametrize(
    ("version", "tp", "quantization", "refused"),
    [
        ("0.22.1", 8, "fp8_per_block", True),
        ("0.24.0", 8, "fp8_per_block", True),
        ("0.25.0", 8, "fp8_per_block", False),
        ("0.22.1", 4, "fp8_per_block", False),
        ("0.22.1", 8, "fp8", False),
    ],
)
def test_experts_made_fp8_by_blocks_while_loading(version: str, tp: int, quantization: str, refused: bool) -> None:
    found = errors("vllm", version, EXPERTS, tp=tp, gpus=tp, quantization=quantization)
    assert ("vllm-online-fp8-blocks-cut-experts" in found) is refused


@pytest.mark.parametrize("version", ["3.2.3", "3.3.0", "3.3.7"])
def test_tgi_quantises_no_model_that_it_has_no_class_for(version: str) -> None:
    """Whether or not the Transformers of the release knows the model, which no table says of 3.2.3 and 3.3.0."""
    qwen3 = like(QWEN, architecture="Qwen3ForCausalLM")
    awq = like(qwen3, quantization_method="awq", quantization_group=128, quantization_bits=4)
    assert errors("tgi", version, awq) == {"tgi-fallback-quantised-checkpoint"}
    assert errors("tgi", version, awq, quantize="awq") == {"tgi-fallback-quantised"}
    assert errors("tgi", version, qwen3) == set()
    assert {"tgi-perhaps-unknown-model", "tgi-fallback-model"} & set(verdicts("tgi", version, qwen3))


INT4_EXPERTS = like(EXPERTS, quantization_method="gptq", quantization_group=128, quantization_bits=4)


@pytest.mark.parametrize(
    ("version", "tp", "changes", "extra_args", "refused"),
    [
        ("0.9.1", 8, {}, (), True),
        ("0.12.0", 8, {"quantization_method": "awq"}, (), True),
        ("0.13.0", 8, {}, (), False),
        ("0.9.1", 4, {}, (), False),
        ("0.9.1", 8, {"expert_intermediate_size": 2048}, (), False),
        ("0.9.1", 8, {"quantization_group": 64}, (), False),
        ("0.9.1", 8, {"quantization_group": -1}, (), False),
        ("0.9.1", 8, {}, ("--enable-expert-parallel",), False),
    ],
)
def test_shards_of_four_bit_experts_that_no_kernel_takes(
    version: str, tp: int, changes: dict[str, object], extra_args: tuple[str, ...], refused: bool
) -> None:
    """As vllm-project/vllm issue 17604 has it of Qwen3-235B-A22B-GPTQ-Int4 and Qwen3-30B-A3B-AWQ."""
    found = errors("vllm", version, like(INT4_EXPERTS, **changes), tp=tp, gpus=tp, extra_args=extra_args)
    assert ("vllm-quantised-experts-cut" in found) is refused


NGRAM = {"method": "ngram", "num_speculative_tokens": 3}


@pytest.mark.parametrize(
    ("version", "pp", "speculative", "rule"),
    [
        ("0.11.2", 2, None, "vllm-async-scheduling-over-stages"),
        ("0.14.1", 2, None, "vllm-async-scheduling-over-stages"),
        ("0.15.0", 2, None, None),
        (
            "0.11.0",
            1,
            {"method": "eagle3", "model": "a/eagle", "num_speculative_tokens": 3},
            "vllm-async-scheduling-with-drafts",
        ),
        ("0.11.1", 1, {"method": "eagle3", "model": "a/eagle", "num_speculative_tokens": 3}, None),
        ("0.14.1", 1, NGRAM, "vllm-async-scheduling-with-ngram"),
        ("0.32.0", 1, NGRAM, "vllm-async-scheduling-with-ngram"),
        ("0.33.0", 1, NGRAM, None),
    ],
)
def test_scheduling_ahead_has_its_limits_in_each_release(
    version: str, pp: int, speculative: dict[str, object] | None, rule: str | None
) -> None:
    fields = {} if speculative is None else {"speculativeConfig": speculative}
    asked = errors("vllm", version, QWEN, pp=pp, gpus=pp, extra_args=("--async-scheduling",), **fields)
    assert asked == ({rule} if rule else set())
    assert not errors("vllm", version, QWEN, pp=pp, gpus=pp, **fields)
    assert not errors("vllm", version, QWEN, pp=pp, gpus=pp, extra_args=("--no-async-scheduling",), **fields)


@pytest.mark.parametrize("version", ["0.8.5", "0.16.0", "0.33.0"])
def test_a_number_of_drafted_tokens_is_needed(version: str) -> None:
    assert errors("vllm", version, QWEN, speculativeConfig={"method": "ngram"}) == {"vllm-drafts-without-number"}
    assert errors("vllm", version, QWEN, speculativeConfig=NGRAM) == set()


def test_what_the_first_tgi_releases_lack() -> None:
    llama31 = like(QWEN, architecture="LlamaForCausalLM", vocab_size=128256, max_position_embeddings=131072)
    assert errors("tgi", "2.1.1", llama31) == {"tgi-llama-3.1-before-2.2"}
    assert (
        errors("tgi", "2.2.0", llama31) == errors("tgi", "2.1.1", like(llama31, max_position_embeddings=8192)) == set()
    )
    assert errors("tgi", "2.0.4", like(QWEN, architecture="Qwen3ForCausalLM")) == {"tgi-unknown-model"}
    gpt_neo = like(QWEN, architecture="GPTNeoForCausalLM")
    assert errors("tgi", "2.0.4", gpt_neo) == set()
    assert errors("tgi", "2.0.4", gpt_neo, numShard=2, tp=2) == {"tgi-fallback-sharded"}
    assert errors("tgi", "2.1.1", quantize="fp8", gpu=A100) == {"tgi-fp8-weights-before-ada-2.1"}
    assert errors("tgi", "2.2.0", quantize="fp8", gpu=T4) == {
        "tgi-fp8-weights-before-ampere-2.2",
        "tgi-flash-attention-2-before-ampere",
    }
    assert errors("tgi", "2.2.0", quantize="fp8", gpu=A100) == errors("tgi", "2.1.1", quantize="fp8") == set()


@pytest.mark.parametrize(
    ("version", "rule"),
    [
        ("0.9.2", "vllm-draft-vocabulary-of-v0"),
        ("0.15.1", "vllm-draft-vocabulary"),
        ("0.33.0", "vllm-draft-vocabulary"),
    ],
)
def test_a_draft_has_the_models_vocabulary(version: str, rule: str) -> None:
    draft = {"model": "Qwen/Qwen2.5-0.5B-Instruct", "num_speculative_tokens": 3}
    assert errors("vllm", version, QWEN, draft_vocab_size=151936, speculativeConfig=draft) == {rule}
    assert errors("vllm", version, QWEN, draft_vocab_size=152064, speculativeConfig=draft) == set()
    assert errors("vllm", version, QWEN, speculativeConfig=draft) == set()


def test_a_release_may_translate_between_vocabularies() -> None:
    draft = {"model": "Qwen/Qwen2.5-0.5B-Instruct", "num_speculative_tokens": 3, "use_heterogeneous_vocab": True}
    assert errors("vllm", "0.26.0", QWEN, draft_vocab_size=151936, speculativeConfig=draft) == set()


DEEPSEEK = like(QWEN, architecture="DeepseekV2ForCausalLM", latent_attention=True)


@pytest.mark.parametrize(
    ("version", "model", "name", "rule"),
    [
        ("0.12.0", QWEN, "XFORMERS", "vllm-xformers-removed"),
        ("0.11.0", QWEN, "XFORMERS", None),
        ("0.12.0", QWEN, "TRITON_ATTN_VLLM_V1", "vllm-attention-backend-of-no-release"),
        ("0.12.0", QWEN, "flashinfer", "vllm-attention-backend-of-no-release"),
        ("0.11.0", QWEN, "flashinfer", "vllm-attention-backend-unknown-to-0-11"),
        ("0.11.0", QWEN, "NOPE", "vllm-attention-backend-unknown-to-0-11"),
        ("0.11.0", QWEN, "FLASH_ATTN_VLLM_V1", None),
        ("0.10.2", QWEN, "TRITON_ATTN", "vllm-attention-backend-unknown-to-0-10-2"),
        ("0.10.2", QWEN, "TRITON_ATTN_VLLM_V1", None),
        ("0.10.1", QWEN, "TRITON_ATTN", None),
        ("0.12.0", QWEN, "TRITON_ATTN", None),
        ("0.8.5", QWEN, "TORCH_SDPA", "vllm-attention-backend-of-other-hardware"),
        ("0.10.2", QWEN, "XFORMERS", None),
        ("0.26.0", QWEN, "TORCH_SDPA", "vllm-attention-backend-of-towers"),
        ("0.26.0", QWEN, "FLASHMLA", "vllm-latent-backend-of-other-model"),
        ("0.10.2", QWEN, "TRITON_MLA", None),
        ("0.26.0", DEEPSEEK, "TRITON_MLA", None),
        ("0.26.0", DEEPSEEK, "FLASH_ATTN", "vllm-backend-of-no-latent-model"),
    ],
)
def test_attention_backends_by_name(version: str, model: ModelTraits, name: str, rule: str | None) -> None:
    assert errors("vllm", version, model, attentionBackend=name) == ({rule} if rule else set())


def test_latent_attention_may_be_turned_off() -> None:
    off = {"VLLM_MLA_DISABLE": "1"}
    assert errors("vllm", "0.26.0", DEEPSEEK, attentionBackend="FLASH_ATTN", extra_env=off) == set()


def test_flex_attention_keeps_no_fp8_cache() -> None:
    assert errors("vllm", "0.11.0", QWEN, gpu=T4, kvCacheDtype="fp8") == {"vllm-fp8-kv-on-flex-attention"}
    assert errors("vllm", "0.11.0", QWEN, gpu=T4) == errors("vllm", "0.11.0", QWEN, kvCacheDtype="fp8") == set()


NGRAM = {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4}
MAMBA = like(QWEN, architecture="FalconH1ForCausalLM")


@pytest.mark.parametrize(
    ("version", "model", "extra_args", "settings", "rule"),
    [
        ("0.10.0", QWEN, (), {"maxNumBatchedTokens": 128}, "vllm-batch-below-default-sequences"),
        ("0.10.2", QWEN, (), {"maxNumBatchedTokens": 128}, None),
        ("0.10.0", QWEN, (), {"maxNumBatchedTokens": 128, "maxNumSeqs": 64}, None),
        ("0.9.2", QWEN, ("--num-scheduler-steps=8",), {"speculativeConfig": NGRAM}, "vllm-multi-step-with-drafts"),
        ("0.9.2", QWEN, ("--num-scheduler-steps=1",), {"speculativeConfig": NGRAM}, None),
        ("0.9.2", QWEN, ("--guided-decoding-disable-any-whitespace",), {}, "vllm-guided-whitespace"),
        ("0.9.2", QWEN, ("--guided-decoding-disable-any-whitespace", "--guided-decoding-backend=xgrammar"), {}, None),
        ("0.11.0", MAMBA, (), {"speculativeConfig": NGRAM}, "vllm-mamba-with-drafts"),
        ("0.11.0", QWEN, (), {"speculativeConfig": NGRAM}, None),
        ("0.10.2", QWEN, (), {"speculativeConfig": {**NGRAM, "disable_by_batch_size": 1}}, "vllm-drafts-never-taken"),
        ("0.10.2", QWEN, (), {"speculativeConfig": {**NGRAM, "disable_by_batch_size": 2}}, None),
        ("0.26.0", QWEN, (), {"quantization": "modelopt"}, "vllm-quantization-file-of-unquantised-checkpoint"),
        ("0.10.2", QWEN, (), {"quantization": "ptpc_fp8"}, "vllm-ptpc-fp8-on-nvidia"),
    ],
)
def test_options_that_contradict_each_other(
    version: str,
    model: ModelTraits,
    extra_args: tuple[str, ...],
    settings: dict[str, Any],
    rule: str | None,
) -> None:
    assert errors("vllm", version, model, extra_args=extra_args, **settings) == ({rule} if rule else set())
