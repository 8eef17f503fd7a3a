"""What a card can do, by its compute capability, as the engines' own sources say; what nobody knows is not judged."""

import pytest
from packaging.version import Version

from l4serve.engines.backends import Choice, choose_backend
from l4serve.engines.cards import FEATURES, card_features
from l4serve.engines.traits import GpuTraits, ModelTraits
from tests.engines.rule_cases import A100, GEMMA, H100, L4, PHI3, QWEN, RTX_PRO, T4, UNHEARD_OF, errors, like, verdicts

GEMMA2 = like(GEMMA, architecture="Gemma2ForCausalLM")
GPT_OSS = like(QWEN, architecture="GptOssForCausalLM", head_dim=64)


def backend(version: str, gpu: GpuTraits, model: ModelTraits = QWEN, *, kv: str = "auto", kind: str = "vllm") -> Choice:
    return choose_backend(
        kind, Version(version), model=model, gpu=gpu, dtype="float16", kv_cache_dtype=kv, requested=None
    )


@pytest.mark.parametrize(
    ("gpu", "bfloat16", "fp8_matmul", "marlin", "fp8_attention"),
    [
        (T4, False, False, True, False),
        (A100, True, False, True, False),
        (L4, True, True, True, False),
        (H100, True, True, True, True),
        (RTX_PRO, True, True, True, False),
        (UNHEARD_OF, None, None, None, None),
    ],
    ids=lambda value: value.name if isinstance(value, GpuTraits) else str(value),
)
def test_features_follow_the_compute_capability(
    gpu: GpuTraits, bfloat16: bool, fp8_matmul: bool, marlin: bool, fp8_attention: bool
) -> None:
    found = card_features("vllm", Version("0.26.0"), gpu.compute_capability)
    assert [found[name] for name in FEATURES] == [bfloat16, fp8_matmul, marlin, fp8_attention]


@pytest.mark.parametrize(
    ("version", "bits", "floats", "rule"),
    [
        ("0.11.2", 4, False, "vllm-int4-compressed-tensors-before-ampere"),
        ("0.12.0", 4, False, None),
        ("0.15.1", 8, True, "vllm-fp8-compressed-tensors-before-ampere"),
        ("0.16.0", 8, True, None),
        ("0.11.2", 8, False, None),
    ],
)
def test_compressed_tensors_reach_turing_scheme_by_scheme(
    version: str, bits: int, floats: bool, rule: str | None
) -> None:
    model = like(QWEN, quantization_method="compressed-tensors", quantization_bits=bits, quantization_floats=floats)
    assert errors("vllm", version, model, gpu=T4, dtype="half") == ({rule} if rule else set())
    assert errors("vllm", version, model, gpu=A100) == set()


BLOCKS = like(QWEN, quantization_method="fp8", quantization_group=128 * 128)
EXPERTS = like(QWEN, expert_intermediate_size=768)
FLOATS = like(EXPERTS, quantization_method="compressed-tensors", quantization_bits=8, quantization_floats=True)


@pytest.mark.parametrize(
    ("model", "asked", "rule"),
    [
        (BLOCKS, {}, "vllm-fp8-blocks-before-ada"),
        (like(BLOCKS, quantization_group=None), {}, None),
        (like(BLOCKS, quantization_group=-1, expert_intermediate_size=768), {}, "vllm-fp8-experts-before-ada"),
        (EXPERTS, {"quantization": "fp8"}, "vllm-fp8-experts-before-ada"),
        (EXPERTS, {}, None),
        (FLOATS, {}, "vllm-fp8-experts-before-ada"),
        (like(FLOATS, expert_intermediate_size=None), {}, None),
    ],
)
def test_marlin_takes_blocks_and_experts_in_fp8_since_0_9(
    model: ModelTraits, asked: dict[str, str], rule: str | None
) -> None:
    assert errors("vllm", "0.8.5", model, gpu=A100, **asked) == ({rule} if rule else set())
    assert errors("vllm", "0.9.0", model, gpu=A100, **asked) == set()
    assert errors("vllm", "0.8.5", model, gpu=L4, **asked) == set()


@pytest.mark.parametrize(
    ("version", "gpu", "method", "rule"),
    [
        ("0.8.5", H100, "modelopt_fp4", "vllm-modelopt-fp4-before-blackwell"),
        ("0.9.0", H100, "modelopt_fp4", None),
        ("0.13.0", T4, "modelopt_fp4", "vllm-modelopt-fp4-before-ampere"),
        ("0.14.1", T4, "modelopt_fp4", None),
        ("0.26.0", T4, "fbgemm_fp8", "vllm-fbgemm-fp8-before-ampere"),
        ("0.26.0", A100, "fbgemm_fp8", None),
        ("0.33.0", T4, "modelopt", "vllm-modelopt-before-ampere"),
        ("0.33.0", A100, "modelopt", None),
    ],
)
def test_methods_have_least_capabilities(version: str, gpu: GpuTraits, method: str, rule: str | None) -> None:
    model = like(QWEN, quantization_method=method, dtype="float16" if gpu is T4 else "bfloat16")
    assert errors("vllm", version, model, gpu=gpu) == ({rule} if rule else set())


@pytest.mark.parametrize(("version", "told"), [("0.8.5", True), ("0.9.0", False)])
def test_four_bit_floats_of_llm_compressor_have_a_scheme_since_0_9(version: str, *, told: bool) -> None:
    model = like(QWEN, quantization_method="compressed-tensors", quantization_bits=4, quantization_floats=True)
    assert errors("vllm", version, model, gpu=H100) == ({"vllm-compressed-fp4-without-scheme"} if told else set())


def test_marlin_reached_turing_in_0_14() -> None:
    assert card_features("vllm", Version("0.13.0"), (7, 5))["marlin"] is False
    assert errors("vllm", "0.13.0", gpu=T4, quantization="fp8") == {"vllm-fp8-weights-before-ampere"}
    assert errors("vllm", "0.26.0", gpu=T4, quantization="fp8") == set()


@pytest.mark.parametrize(
    ("version", "gpu", "kv", "name"),
    [
        ("0.26.0", T4, "auto", "TRITON_ATTN"),
        ("0.22.0", T4, "auto", "FLASHINFER"),
        ("0.11.0", T4, "auto", "FLEX_ATTENTION"),
        ("0.10.0", T4, "auto", "XFORMERS"),
        ("0.26.0", A100, "auto", "FLASH_ATTN"),
        ("0.26.0", A100, "fp8", "FLASHINFER"),
        ("0.26.0", L4, "fp8", "FLASHINFER"),
        ("0.26.0", H100, "auto", "FLASH_ATTN"),
        ("0.26.0", H100, "fp8", "FLASH_ATTN"),
        ("0.26.0", H100, "fp8_e5m2", "FLASHINFER"),
        ("0.11.0", H100, "fp8", "FLASH_ATTN"),
        ("0.11.0", RTX_PRO, "fp8", "TRITON_ATTN"),
        ("0.26.0", RTX_PRO, "auto", "FLASH_ATTN"),
        ("0.26.0", RTX_PRO, "fp8", "FLASHINFER"),
    ],
)
def test_the_backend_follows_the_card(version: str, gpu: GpuTraits, kv: str, name: str) -> None:
    assert backend(version, gpu, kv=kv).name == name


def test_attention_sinks_are_flash_attention_3_s_on_hopper_and_triton_s_elsewhere() -> None:
    assert backend("0.26.0", H100, GPT_OSS).name == "FLASH_ATTN"
    assert backend("0.26.0", RTX_PRO, GPT_OSS).name == "TRITON_ATTN"
    assert backend("0.28.0", RTX_PRO, GPT_OSS).name is None


def test_tgi_takes_paged_attention_before_ampere() -> None:
    assert backend("3.3.7", T4, PHI3, kind="tgi").name == "paged"
    assert backend("3.3.7", A100, PHI3, kind="tgi").name == "flashdecoding"
    assert backend("3.3.7", H100, kind="tgi").name == "flashinfer"


@pytest.mark.parametrize(("kind", "version", "gpu"), [("vllm", "0.26.0", UNHEARD_OF), ("tgi", "3.3.7", RTX_PRO)])
def test_a_card_that_no_source_names_is_not_judged_and_says_why(kind: str, version: str, gpu: GpuTraits) -> None:
    unknown = backend(version, gpu, kind=kind)
    assert unknown.name is None
    assert "compute capability" in (unknown.unjudged or "")
    found = verdicts(kind, version, QWEN, gpu=gpu)[f"{kind}-card-not-judged"]
    assert found.severity == "advice"
    assert "not judged" in found.reason


def test_bfloat16_is_refused_before_ampere_as_the_engine_does() -> None:
    assert errors("vllm", "0.26.0", QWEN, gpu=T4, dtype="bfloat16") == {"vllm-bfloat16-before-ampere"}
    assert errors("vllm", "0.26.0", QWEN, gpu=A100, dtype="bfloat16") == set()


def test_a_bfloat16_checkpoint_is_cast_before_ampere_with_a_warning() -> None:
    found = verdicts("vllm", "0.26.0", QWEN, gpu=T4)
    assert found["vllm-bfloat16-model-before-ampere"].severity == "warning"
    assert "vllm-bfloat16-model-before-ampere" not in verdicts("vllm", "0.26.0", QWEN, gpu=T4, dtype="float16")
    narrow = like(GEMMA2, head_dim=128)  # as Gemma 2 27B has them, of which a T4 holds a tile in float32
    assert errors("vllm", "0.26.0", narrow, gpu=T4) == {"vllm-float32-before-ampere"}
    assert errors("vllm", "0.26.0", narrow, gpu=T4, dtype="float32") == set()
    assert errors("vllm", "0.26.0", GEMMA2, gpu=T4, dtype="float16") == {"vllm-family-refuses-float16-before-ampere"}
    assert errors("vllm", "0.26.0", narrow, gpu=T4, quantization="fp8") == {"vllm-quantised-float32-before-ampere"}


@pytest.mark.parametrize("checkpoint", [None, "fp8"])
def test_fp8_weights_on_an_a100_are_weight_only_and_warned_of(checkpoint: str | None) -> None:
    model = like(QWEN, quantization_method=checkpoint)
    asked = {} if checkpoint else {"quantization": "fp8"}
    found = verdicts("vllm", "0.26.0", model, gpu=A100, **asked)
    assert found["vllm-fp8-weights-before-ada"].severity == "warning"
    assert "(compute capability 8.0)" in found["vllm-fp8-weights-before-ada"].reason
    assert "Marlin" in found["vllm-fp8-weights-before-ada"].reason
    for card in (L4, H100, RTX_PRO):
        assert "vllm-fp8-weights-before-ada" not in verdicts("vllm", "0.26.0", model, gpu=card, **asked)


def test_tgi_s_fp8_weights_need_marlin_or_ada() -> None:
    assert verdicts("tgi", "3.3.7", gpu=A100, quantize="fp8")["tgi-fp8-weights-before-ada"].severity == "warning"
    assert "tgi-fp8-weights-before-ampere" in errors("tgi", "3.3.7", gpu=T4, quantize="fp8")
    assert errors("tgi", "3.3.7", gpu=H100, quantize="fp8") == set()


def test_triton_keeps_no_fp8_cache_before_ada() -> None:
    assert errors("vllm", "0.26.0", PHI3, gpu=A100, kvCacheDtype="fp8") == {"vllm-fp8-kv-before-ada"}
    assert errors("vllm", "0.26.0", QWEN, gpu=A100, kvCacheDtype="fp8") == set()
    assert errors("vllm", "0.26.0", QWEN, gpu=T4, kvCacheDtype="fp8") == {"vllm-fp8-kv-before-ada"}


@pytest.mark.parametrize("dtype", ["fp8", "fp8_e4m3"])
def test_triton_compiles_no_e4m3_kernel_before_ada(dtype: str) -> None:
    """Before 0.24 nothing refused it, and the server died as the kernel was compiled."""
    refused = {"vllm-fp8-kv-uncompiled-before-ada"}
    assert errors("vllm", "0.11.0", QWEN, gpu=A100, kvCacheDtype=dtype) == refused
    assert errors("vllm", "0.19.1", QWEN, gpu=A100, kvCacheDtype=dtype, attentionBackend="TRITON_ATTN") == refused
    assert errors("vllm", "0.19.1", QWEN, gpu=A100, kvCacheDtype=dtype) == set()
    assert errors("vllm", "0.11.0", QWEN, gpu=L4, kvCacheDtype=dtype) == set()


@pytest.mark.parametrize(("version", "refused"), [("0.11.0", True), ("0.22.0", True), ("0.23.0", False)])
def test_triton_knows_a_plain_cache_as_auto_alone(version: str, *, refused: bool) -> None:
    asked = {"gpu": A100, "kvCacheDtype": "bfloat16"}
    found = errors("vllm", version, QWEN, **asked, attentionBackend="TRITON_ATTN")
    assert ("vllm-plain-kv-by-name-on-triton" in found) is refused
    assert errors("vllm", version, QWEN, gpu=A100, kvCacheDtype="auto", attentionBackend="TRITON_ATTN") == set()


@pytest.mark.parametrize(
    ("version", "gpu", "rule"),
    [
        ("0.8.5", H100, "vllm-fp8-kv-of-latent-attention"),
        ("0.10.1", L4, "vllm-fp8-kv-of-latent-attention"),
        ("0.10.2", H100, None),
        ("0.10.2", L4, "vllm-fp8-kv-of-latent-attention-on-triton"),
        ("0.17.1", RTX_PRO, "vllm-fp8-kv-of-latent-attention-on-triton"),
        ("0.18.0", L4, None),
        ("0.18.0", A100, "vllm-fp8-kv-of-latent-attention-before-ada"),
        ("0.33.0", L4, None),
    ],
)
def test_compressed_keys_are_kept_in_fp8_by_some_backends(version: str, gpu: GpuTraits, rule: str | None) -> None:
    model = like(QWEN, architecture="DeepseekV2ForCausalLM", latent_attention=True)
    asked = {"gpu": gpu, "kvCacheDtype": "fp8", "trustRemoteCode": True}
    assert errors("vllm", version, model, **asked) == ({rule} if rule else set())
    whole = errors("vllm", version, model, **asked, extra_env={"VLLM_MLA_DISABLE": "1"})
    assert rule not in whole


@pytest.mark.parametrize("name", ["FLASHMLA", "FLASH_ATTN_MLA"])
def test_hopper_has_backends_of_compressed_keys_that_older_cards_lack(name: str) -> None:
    model = like(QWEN, architecture="DeepseekV2ForCausalLM", latent_attention=True)
    refused = {"vllm-latent-backend-before-hopper"}
    assert errors("vllm", "0.19.1", model, gpu=L4, attentionBackend=name) == refused
    assert errors("vllm", "0.19.1", model, gpu=A100, attentionBackend=name) == refused
    assert errors("vllm", "0.19.1", model, gpu=H100, attentionBackend=name) == set()
    assert errors("vllm", "0.19.1", model, gpu=L4, attentionBackend="TRITON_MLA") == set()


def test_turboquant_prefills_by_flash_attention() -> None:
    asked = {"kvCacheDtype": "turboquant_4bit_nc", "dtype": "half"}
    assert errors("vllm", "0.21.0", QWEN, gpu=T4, **asked) == {"vllm-turboquant-before-ampere"}
    assert errors("vllm", "0.21.0", QWEN, gpu=L4, **asked) == set()


def test_flash_attention_3_reads_e4m3_only() -> None:
    assert errors("vllm", "0.19.1", QWEN, gpu=H100, kvCacheDtype="fp8_e5m2") == {"vllm-fp8-e5m2-kv-on-flash-attention"}
    assert errors("vllm", "0.19.1", QWEN, gpu=H100, kvCacheDtype="fp8") == set()


def test_the_old_engine_serves_what_the_first_v1_releases_cannot() -> None:
    assert "vllm-v0-fallback" in verdicts("vllm", "0.10.0", QWEN, gpu=RTX_PRO, kvCacheDtype="fp8")
    assert "vllm-v0-fallback" not in verdicts("vllm", "0.10.0", QWEN, gpu=H100, kvCacheDtype="fp8")
    assert "vllm-v0-before-ampere" in verdicts("vllm", "0.10.0", QWEN, gpu=T4)


def test_blackwell_is_judged_from_the_first_release_with_its_kernels() -> None:
    assert "vllm-card-not-judged" in verdicts("vllm", "0.9.1", QWEN, gpu=RTX_PRO)
    assert "vllm-card-not-judged" in verdicts("vllm", "0.8.5", QWEN, gpu=RTX_PRO)
    assert "vllm-card-not-judged" not in verdicts("vllm", "0.10.0", QWEN, gpu=RTX_PRO)
    assert "vllm-card-not-judged" not in verdicts("vllm", "0.8.5", QWEN, gpu=L4)


def test_what_becomes_of_bfloat16_under_tgi_on_a_t4_is_not_judged() -> None:
    assert "tgi-bfloat16-not-judged" in verdicts("tgi", "3.3.7", gpu=T4, dtype="bfloat16")
    assert "tgi-bfloat16-not-judged" not in verdicts("tgi", "3.3.7", gpu=L4, dtype="bfloat16")
    assert "tgi-bfloat16-not-judged" not in verdicts("tgi", "3.3.7", gpu=T4, dtype="float16")


def test_what_crashes_on_hopper_is_no_rule_for_the_l4() -> None:
    awq = like(GEMMA, dtype="float16", quantization_method="awq")
    assert errors("vllm", "0.26.0", awq, kvCacheDtype="fp8", dtype="float16") == set()
    hopper = GpuTraits("NVIDIA H200", (9, 0))
    dead = verdicts("vllm", "0.26.0", awq, gpu=hopper, kvCacheDtype="fp8")
    assert dead["vllm-fp8-kv-in-float16-on-flash-attention"].remedy == "set engine.dtype: bfloat16"
    assert errors("vllm", "0.26.0", awq, gpu=hopper, kvCacheDtype="fp8", dtype="bfloat16") == set()
    assert errors("vllm", "0.26.0", GEMMA, gpu=hopper, kvCacheDtype="fp8_e5m2") == set()
