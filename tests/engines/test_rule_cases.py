"""Each rule holds where the engine would refuse, and not beside it."""

import pytest

from l4serve.engines.traits import ModelTraits
from tests.engines.rule_cases import A100, GEMMA, PHI3, QWEN, UNDESCRIBED, errors, like, verdicts


@pytest.mark.parametrize("version", ["0.13.0", "0.19.1", "0.26.0", "0.33.0"])
def test_e5m2_dies_only_where_triton_is_taken(version: str) -> None:
    assert errors("vllm", version, PHI3, kvCacheDtype="fp8_e5m2") == {"vllm-fp8-e5m2-kv-on-triton"}
    assert errors("vllm", version, PHI3, kvCacheDtype="fp8_e4m3") == set()
    assert errors("vllm", version, GEMMA, kvCacheDtype="fp8_e5m2") == set()
    taken = errors("vllm", version, GEMMA, kvCacheDtype="fp8_e5m2", attentionBackend="TRITON_ATTN")
    assert taken == {"vllm-fp8-e5m2-kv-on-triton"}


def test_images_of_gemma_3_make_triton_the_backend() -> None:
    gemma3 = like(GEMMA, architecture="Gemma3ForConditionalGeneration", max_position_embeddings=131072)
    assert "vllm-fp8-e5m2-kv-on-triton" in errors("vllm", "0.26.0", gemma3, kvCacheDtype="fp8_e5m2")


def test_the_guides_fp8_cache_runs_on_its_image_by_the_old_engine() -> None:
    found = verdicts("vllm", "0.10.0", GEMMA, kvCacheDtype="fp8_e5m2", maxModelLen=1200)
    assert set(found) == {"vllm-v0-fallback"}
    assert found["vllm-v0-fallback"].severity == "warning"


def test_an_unfit_backend_is_named_with_its_fault() -> None:
    found = verdicts("vllm", "0.26.0", GEMMA, attentionBackend="FLASH_ATTN", kvCacheDtype="fp8")
    assert "no fp8 KV cache" in found["vllm-attention-backend-unfit"].reason
    assert (
        "no head size 96"
        in verdicts("vllm", "0.26.0", PHI3, attentionBackend="FLASHINFER")["vllm-attention-backend-unfit"].reason
    )
    assert errors("vllm", "0.26.0", GEMMA, kvCacheDtype="nvfp4") == {"vllm-no-attention-backend"}
    assert errors("vllm", "0.10.0", attentionBackend="FLASH_ATTN", kvCacheDtype="fp8") == {
        "vllm-flash-attention-fp8-kv"
    }


def test_awq_and_gptq_need_their_checkpoints() -> None:
    for method in ("awq", "awq_marlin", "gptq", "gptq_marlin"):
        assert "vllm-quantization-of-unquantised-checkpoint" in errors("vllm", "0.26.0", quantization=method)
        assert errors("vllm", "0.26.0", UNDESCRIBED, quantization=method) == set()
    assert errors("vllm", "0.26.0", quantization="fp8") == set()
    awq = like(QWEN, quantization_method="awq", dtype="float16")
    assert errors("vllm", "0.26.0", awq, quantization="awq_marlin") == set()
    assert errors("vllm", "0.26.0", awq, quantization="gptq") == {"vllm-quantization-mismatch"}
    for method in ("awq", "gptq"):
        assert "tgi-quantize-of-unquantised-checkpoint" in errors("tgi", "3.3.7", quantize=method)


def test_forcing_awq_takes_the_slow_kernel_until_it_is_gone() -> None:
    awq = like(GEMMA, quantization_method="awq", dtype="float16")
    assert "vllm-awq-slow-kernel" in verdicts("vllm", "0.10.0", awq, quantization="awq")
    assert "vllm-awq-slow-kernel" not in verdicts("vllm", "0.10.0", awq, quantization="awq_marlin")
    assert "vllm-awq-slow-kernel" not in verdicts("vllm", "0.26.0", awq, quantization="awq")


def test_families_that_refuse_float16_meet_kernels_that_need_it() -> None:
    gemma2 = like(GEMMA, architecture="Gemma2ForCausalLM")
    gemma2_awq = like(gemma2, quantization_method="awq", dtype="float16")
    assert errors("vllm", "0.26.0", gemma2, dtype="float16") == {"vllm-family-refuses-float16"}
    assert errors("vllm", "0.19.1", gemma2_awq, quantization="awq") == {"vllm-awq-needs-float16"}
    assert errors("vllm", "0.19.1", gemma2_awq) == set()
    for architecture in ("Gemma3ForCausalLM", "Gemma3TextModel"):
        gemma3 = like(GEMMA, architecture=architecture)
        assert "vllm-gemma-3-text-refuses-float16" in errors("vllm", "0.26.0", gemma3, dtype="half")
        assert "vllm-gemma-3-text-refuses-float16" not in errors("vllm", "0.10.1", gemma3, dtype="half")
    gptq = like(QWEN, quantization_method="gptq", dtype="bfloat16")
    assert errors("vllm", "0.19.1", gptq, quantization="gptq") == {"vllm-gptq-needs-float16"}
    assert errors("vllm", "0.26.0", gptq, quantization="gptq") == set()


def test_mxfp4_computes_in_bfloat16() -> None:
    gpt_oss = like(GEMMA, architecture="GptOssForCausalLM", head_dim=64, quantization_method="mxfp4")
    assert errors("vllm", "0.26.0", gpt_oss, dtype="half") == {"vllm-mxfp4-needs-bfloat16"}
    assert errors("vllm", "0.26.0", gpt_oss) == set()


@pytest.mark.parametrize(
    ("version", "size", "rule"),
    [
        ("0.26.0", 8, "vllm-block-size"),
        ("0.33.0", 24, "vllm-block-size"),
        ("0.26.0", 48, None),
        ("0.14.1", 8, "vllm-block-size-of-no-kernel"),
        ("0.20.0", 1, "vllm-block-size-of-no-kernel"),
        ("0.16.0", 48, None),
        ("0.10.0", 8, "vllm-block-size-flash-attention"),
        ("0.10.0", 32, None),
        ("0.8.2", 8, "vllm-block-size-before-0.10"),
        ("0.8.2", 32, None),
    ],
)
def test_blocks_are_read_by_sixteen_tokens(version: str, size: int, rule: str | None) -> None:
    assert errors("vllm", version, QWEN, blockSize=size) == ({rule} if rule else set())


def test_bitsandbytes_left_the_tree() -> None:
    for version in ("0.28.0", "0.33.0"):
        assert "vllm-bitsandbytes-removed" in errors("vllm", version, QWEN, quantization="bitsandbytes")
    assert errors("vllm", "0.27.0", QWEN, quantization="bitsandbytes") == set()
    prequantised = like(QWEN, quantization_method="bitsandbytes")
    assert errors("vllm", "0.26.0", prequantised, tp=2) == {"vllm-bitsandbytes-prequantised-tensor-parallel"}


@pytest.mark.parametrize(
    ("model", "tp", "rule"),
    [
        (QWEN, 3, "vllm-heads-not-divisible"),
        (like(QWEN, vocab_size=448), 7, "vllm-kv-heads-not-divisible"),
        (like(QWEN, num_attention_heads=27, num_key_value_heads=27), 3, None),
        (like(QWEN, num_attention_heads=30, num_key_value_heads=30, vocab_size=64), 3, "vllm-vocabulary-not-divisible"),
        (QWEN, 2, None),
        (QWEN, 4, None),
    ],
)
def test_sharding_divides_heads_and_vocabulary(model: ModelTraits, tp: int, rule: str | None) -> None:
    assert errors("vllm", "0.26.0", model, tp=tp) == ({rule} if rule else set())


def test_shards_do_not_cut_what_shares_a_quantisation_scale() -> None:
    experts = like(
        QWEN,
        num_attention_heads=32,
        quantization_method="fp8",
        quantization_group=128 * 128,
        intermediate_size=6144,
        expert_intermediate_size=768,
    )
    found = verdicts("vllm", "0.26.0", experts, tp=4)
    assert "set engine.tensorParallelSize: 2" in found["vllm-fp8-blocks-not-divisible"].remedy
    assert errors("vllm", "0.26.0", experts, tp=2) == set()
    dense = like(
        QWEN,
        num_attention_heads=40,
        num_key_value_heads=8,
        quantization_method="awq",
        quantization_group=128,
        intermediate_size=13824,
        dtype="float16",
    )
    assert errors("vllm", "0.26.0", dense, tp=8) == {"vllm-quantised-groups-not-divisible"}
    assert errors("vllm", "0.26.0", dense, tp=4) == set()
    assert errors("vllm", "0.26.0", like(dense, quantization_group=-1), tp=8) == set()
    assert errors("vllm", "0.26.0", like(dense, expert_intermediate_size=768), tp=8) == set()


@pytest.mark.parametrize("name", ["flashinfer", "FlashInfer", "auto", "AUTO"])
def test_a_backends_name_is_taken_in_any_case_and_auto_leaves_the_choice(name: str) -> None:
    assert errors("vllm", "0.26.0", QWEN, attentionBackend=name, kvCacheDtype="fp8_e5m2") == set()
    assert errors("vllm", "0.26.0", PHI3, attentionBackend="flashinfer") == {"vllm-attention-backend-unfit"}
    assert errors("vllm", "0.13.0", QWEN, attentionBackend="auto") == {"vllm-unknown-attention-backend"}
    assert "vllm-attention-backend-v0" in verdicts("vllm", "0.10.0", QWEN, attentionBackend="flashinfer")


def test_shards_and_gpus() -> None:
    assert errors("vllm", "0.26.0", tp=2, pp=2, gpus=2) == {"vllm-more-shards-than-gpus"}
    assert verdicts("vllm", "0.26.0", gpus=2)["vllm-idle-gpus"].severity == "warning"
    assert errors("tgi", "3.3.7", tp=2, gpus=1) == {"tgi-more-shards-than-gpus"}
    assert "vllm-pipeline-within-a-node" in verdicts("vllm", "0.26.0", pp=2)


@pytest.mark.parametrize(
    ("kind", "version", "image", "found"),
    [
        ("vllm", "0.26.0", "vllm/vllm-openai:v0.26.0", set()),
        ("vllm", "v0.26", "docker.io/vllm/vllm-openai:v0.26.0-cu129", set()),
        ("vllm", "0.26.0", "registry.local:5000/vllm/vllm-openai:v0.10.0", {"vllm-image-of-another-release"}),
        ("vllm", "0.10.1", "vllm/vllm-openai:v0.10.1.1", set()),
        ("vllm", "0.10.1", "vllm/vllm-openai:v0.10.0", {"vllm-image-of-another-release"}),
        ("vllm", "0.26.0", "vllm/vllm-openai:latest", {"vllm-image-moves"}),
        ("vllm", "0.26.0", "vllm/vllm-openai", {"vllm-image-moves"}),
        ("vllm", "0.26.0", "vllm/vllm-openai@sha256:" + "a" * 64, set()),
        ("vllm", "0.26.0", "registry.local:5000/our-vllm", set()),
        ("vllm", "0.26.0", "lmcache/vllm-openai:v0.3.13", set()),
        ("vllm", "0.26.0", "nvcr.io/nvidia/vllm:25.09-py3", set()),
        (
            "vllm",
            "0.26.0",
            "ghcr.io/huggingface/text-generation-inference:3.3.7",
            {"vllm-image-of-another-engine"},
        ),
        ("tgi", "3.3.7", "ghcr.io/huggingface/text-generation-inference:3.3.7", set()),
        ("tgi", "3.3.7", "ghcr.io/huggingface/text-generation-inference:2.3.1", {"tgi-image-of-another-release"}),
        ("tgi", "3.3.7", "ghcr.io/huggingface/text-generation-inference:sha-24c2bff", {"tgi-image-moves"}),
        ("tgi", "3.3.7", "vllm/vllm-openai:v0.26.0", {"tgi-image-of-another-engine"}),
    ],
)
def test_an_image_that_says_its_release_is_held_to_it(kind: str, version: str, image: str, found: set[str]) -> None:
    assert {rule for rule in verdicts(kind, version, UNDESCRIBED, image=image) if "-image-" in rule} == found


@pytest.mark.parametrize(
    ("kind", "version", "near"),
    [
        ("vllm", "0.12.7", "0.12.0"),
        ("tgi", "3.2.9", "3.2.3"),
        ("vllm", "0.10.1.1", None),
        ("vllm", "0.26", None),
        ("vllm", "0.27.0rc1", None),
    ],
)
def test_a_release_that_was_never_made_is_refused(kind: str, version: str, near: str | None) -> None:
    found = verdicts(kind, version, UNDESCRIBED).get(f"{kind}-no-such-release")
    assert (found.remedy if found else None) == (f"set engine.version: {near}" if near else None)
    assert f"{kind}-no-such-release" not in verdicts(kind, version, UNDESCRIBED, image="registry.local/ours:1")


def test_the_context_is_the_models() -> None:
    assert errors("vllm", "0.26.0", maxModelLen=8193) == {"vllm-context-beyond-model"}
    assert errors("vllm", "0.26.0", maxModelLen=8192) == set()


def test_fp8_before_ada() -> None:
    found = verdicts("vllm", "0.26.0", gpu=A100, quantization="fp8", kvCacheDtype="fp8_e4m3")
    assert {"vllm-fp8-weights-before-ada", "vllm-fp8-kv-emulated-before-ada"} <= set(found)
    triton = errors("vllm", "0.26.0", gpu=A100, kvCacheDtype="fp8_e4m3", attentionBackend="TRITON_ATTN")
    assert triton == {"vllm-fp8-kv-before-ada"}
    assert not set(verdicts("vllm", "0.26.0", quantization="fp8", kvCacheDtype="fp8_e4m3"))


def test_batches_caching_and_adapters() -> None:
    assert errors("vllm", "0.26.0", enableChunkedPrefill=False, maxNumBatchedTokens=512, maxModelLen=1024) == {
        "vllm-batch-below-context"
    }
    # Unset, the context is the model's own: 8,192 tokens.
    unset = {"enableChunkedPrefill": False, "maxNumBatchedTokens": 8191}
    assert errors("vllm", "0.26.0", **unset) == {"vllm-batch-below-context"}
    assert errors("vllm", "0.26.0", **{**unset, "maxNumBatchedTokens": 8192}) == set()
    assert errors("vllm", "0.26.0", maxNumBatchedTokens=64, maxNumSeqs=128) == {"vllm-batch-below-sequences"}
    assert "vllm-chunked-prefill-off" in verdicts("vllm", "0.26.0", enableChunkedPrefill=False)
    assert "vllm-prefix-caching-off" in verdicts("vllm", "0.26.0", enablePrefixCaching=False)
    lora = {"adapters": [{"name": "a", "path": "acme/a"}], "maxRank": 24}
    assert errors("vllm", "0.10.0", lora=lora) == {"vllm-lora-rank"}
    assert "vllm-lora-with-quantisation" in verdicts("vllm", "0.26.0", quantization="fp8", lora=lora)
    assert errors("vllm", "0.10.0", UNDESCRIBED, quantization="aqlm", lora={**lora, "maxRank": 16}) == {
        "vllm-lora-over-quantised-layers"
    }


def test_speculation_and_tools() -> None:
    draft = {"method": "draft_model", "model": "acme/draft", "num_speculative_tokens": 2}
    assert errors("vllm", "0.10.0", speculativeConfig=draft) == {"vllm-draft-model-speculation"}
    assert errors("vllm", "0.26.0", speculativeConfig=draft) == set()
    assert errors("vllm", "0.26.0", speculativeConfig={"num_speculative_tokens": 2}) == {
        "vllm-speculation-without-model"
    }
    assert errors("vllm", "0.26.0", enableAutoToolChoice=True) == {"vllm-tool-choice-without-parser"}
    assert errors("vllm", "0.26.0", toolCallParser="no-such") == {"vllm-unknown-tool-call-parser"}


def test_a_parser_of_a_plugin_is_the_plugins() -> None:
    """Before, a name that only a plugin registers was refused beside the plugin (`--reasoning-parser nano_v3`)."""
    own = {"toolCallParser": "mine", "reasoningParser": "nano_v3"}
    unknown = {"vllm-unknown-tool-call-parser", "vllm-unknown-reasoning-parser"}
    assert errors("vllm", "0.26.0", **own) == unknown
    tool, reasoning = "--tool-parser-plugin=/plugins/a.py", "--reasoning-parser-plugin=/plugins/b.py"
    assert errors("vllm", "0.26.0", extra_args=(reasoning,), **own) == {"vllm-unknown-tool-call-parser"}
    assert errors("vllm", "0.26.0", extra_args=(tool, reasoning), **own) == set()


def test_values_that_the_release_does_not_know() -> None:
    assert errors("vllm", "0.26.0", quantization="aqlm") == {"vllm-unknown-quantization"}
    assert errors("vllm", "0.26.0", attentionBackend="XFORMERS") == {"vllm-unknown-attention-backend"}
    assert errors("vllm", "0.33.0", UNDESCRIBED, kvCacheDtype="int3") == {"vllm-unknown-kv-cache-dtype"}


def test_models_that_the_release_does_not_know() -> None:
    gpt_oss = like(GEMMA, architecture="GptOssForCausalLM")
    assert errors("vllm", "0.10.0", gpt_oss) == {"vllm-model-of-a-later-release"}
    remedy = verdicts("vllm", "0.10.0", gpt_oss)["vllm-model-of-a-later-release"].remedy
    assert remedy.startswith("set engine.version: 0.10.1;")
    assert errors("vllm", "0.10.2", gpt_oss) == set()
    assert "vllm-perhaps-unknown-model" in verdicts("vllm", "0.10.0.post1", gpt_oss)
    assert errors("tgi", "3.3.7", gpt_oss) == {"tgi-unknown-model"}
    qwen3 = like(QWEN, architecture="Qwen3ForCausalLM")
    assert "tgi-fallback-model" in verdicts("tgi", "3.3.7", qwen3)
    assert errors("tgi", "3.3.7", qwen3, quantize="eetq") == {"tgi-fallback-quantised"}
    assert errors("tgi", "2.3.1", qwen3) == {"tgi-unknown-model"}
    assert not {"tgi-unknown-model", "tgi-fallback-model"} & set(verdicts("tgi", "3.1.0", qwen3))


def test_an_eager_gemma_in_large_batches_serves_nothing() -> None:
    """Before, it was planned with the advice on graphs, where the measured start gave no answer in 150 s."""
    large = {"enforceEager": True, "maxNumBatchedTokens": 16384, "maxNumSeqs": 1024}
    assert errors("vllm", "0.26.0", **large) == {"vllm-eager-gemma-in-large-batches"}
    assert errors("vllm", "0.26.0", **{**large, "enforceEager": False}) == set()
    assert errors("vllm", "0.26.0", QWEN, **large) == set()
    assert errors("vllm", "0.26.0", **{**large, "maxNumSeqs": 256}) == set()
    for fields in ({"enforceEager": True}, {**large, "maxNumSeqs": 256}):
        assert verdicts("vllm", "0.26.0", **fields)["vllm-eager-gemma"].severity == "warning"
    assert "vllm-eager-gemma" not in verdicts("vllm", "0.26.0", **large)
