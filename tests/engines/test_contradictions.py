"""Options that a release refuses beside others, on a card or for a checkpoint, each with a neighbour that it takes."""

from typing import Any

import pytest

from tests.engines.rule_cases import A100, GEMMA, H100, L4, QWEN, RTX_PRO, T4, errors, like

GEMMA_2 = like(GEMMA, architecture="Gemma2ForCausalLM")
PICTURES = like(QWEN, architecture="Qwen2_5_VLForConditionalGeneration")
HYBRID = like(QWEN, architecture="NemotronHForCausalLM")
STAGES: dict[str, Any] = {"model": like(QWEN, architecture="Qwen3MoeForCausalLM", expert_intermediate_size=768)}
LORA = {"adapters": [{"name": "a", "path": "org/a"}]}
ROUNDED = "--enable-mamba-cache-stochastic-rounding"
FP8 = like(QWEN, quantization_method="fp8")
THREE = {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4}
STREAM = '--model-loader-extra-config={"concurrency":16}'
PIECES = '--compilation-config={"level":0,"cudagraph_mode":"PIECEWISE"}'


def asked(*args: str, **more: Any) -> dict[str, Any]:
    return {"extra_args": args, **more}


FA3 = {"extra_env": {"VLLM_FLASH_ATTN_VERSION": "3"}}
CASES: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("an L4 has no FlashAttention 3", "0.10.2", FA3, "vllm-flash-attention-3-before-hopper"),
    (
        "nor by a flag",
        "0.26.0",
        asked("--attention-config.flash_attn_version=3"),
        "vllm-flash-attention-3-before-hopper",
    ),
    ("it has 2", "0.10.2", {"extra_env": {"VLLM_FLASH_ATTN_VERSION": "2"}}, None),
    ("a Hopper has 3", "0.10.2", {**FA3, "gpu": H100}, None),
    ("an A100 had it", "0.10.2", {**FA3, "gpu": A100}, None),
    (
        "and lost it",
        "0.26.0",
        asked("--attention-config.flash_attn_version=3", gpu=A100),
        "vllm-flash-attention-3-on-ampere",
    ),
    ("another backend asks no version", "0.10.2", {**FA3, "attentionBackend": "FLASHINFER"}, None),
    ("fp8 while it loads", "0.33.0", {"quantization": "fp8"}, "vllm-online-fp8-renamed"),
    ("by its new name", "0.33.0", {"quantization": "fp8_per_tensor"}, None),
    ("a checkpoint in FP8", "0.33.0", {"quantization": "fp8", "model": FP8}, None),
    ("fp8 before", "0.29.0", {"quantization": "fp8"}, None),
    ("the streamer's settings alone", "0.26.0", asked(STREAM), "vllm-streamer-options-without-streamer"),
    ("with the streamer", "0.26.0", asked(STREAM, loadFormat="runai_streamer"), None),
    (
        "adapters and long drafts",
        "0.26.0",
        {"lora": LORA, "speculativeConfig": THREE, "maxNumBatchedTokens": 512, "maxNumSeqs": 256},
        "vllm-adapters-with-drafts-beyond-step",
    ),
    (
        "drafts that fill a step",
        "0.26.0",
        {"lora": LORA, "speculativeConfig": THREE, "maxNumBatchedTokens": 1024, "maxNumSeqs": 256},
        None,
    ),
    ("no adapters", "0.26.0", {"speculativeConfig": THREE, "maxNumBatchedTokens": 512, "maxNumSeqs": 256}, None),
    (
        "shards of drafts",
        "0.26.0",
        {"speculativeConfig": {**THREE, "tensor_parallel_size": 1}},
        "vllm-shards-of-drafts-misnamed",
    ),
    (
        "workers beside a cache",
        "0.26.0",
        asked("--renderer-num-workers=4", model=PICTURES),
        "vllm-renderers-with-media-cache",
    ),
    (
        "without the cache",
        "0.26.0",
        asked("--renderer-num-workers=4", "--mm-processor-cache-gb=0", model=PICTURES),
        None,
    ),
    ("a text model has no such cache", "0.26.0", asked("--renderer-num-workers=4"), None),
    ("a safe cache", "0.28.0", asked("--renderer-num-workers=4", model=PICTURES), None),
    (
        "shared tensors",
        "0.26.0",
        asked("--mm-tensor-ipc=torch_shm", model=PICTURES),
        "vllm-shared-tensors-without-spawn",
    ),
    (
        "of spawned workers",
        "0.26.0",
        asked("--mm-tensor-ipc=torch_shm", model=PICTURES, extra_env={"VLLM_WORKER_MULTIPROC_METHOD": "spawn"}),
        None,
    ),
    ("reasoning", "0.8.5", asked("--enable-reasoning"), "vllm-reasoning-without-parser"),
    ("with a parser", "0.8.5", asked("--enable-reasoning", reasoningParser="deepseek_r1"), None),
    (
        "adapters at run time",
        "0.26.0",
        asked("--api-server-count=2", extra_env={"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1"}),
        "vllm-adapters-at-run-time-on-several-servers",
    ),
    ("two servers", "0.26.0", asked("--api-server-count=2"), None),
    (
        "experts over stages",
        "0.26.0",
        asked("--enable-return-routed-experts", pp=2, **STAGES),
        "vllm-routed-experts-over-stages",
    ),
    ("experts of one stage", "0.26.0", asked("--enable-return-routed-experts", **STAGES), None),
    ("rounded states", "0.26.0", asked(ROUNDED, model=HYBRID), "vllm-rounded-states-before-blackwell"),
    ("on Blackwell of workstations", "0.26.0", asked(ROUNDED, gpu=RTX_PRO), "vllm-rounded-states-before-blackwell"),
    ("by FlashInfer", "0.26.0", asked(ROUNDED, "--mamba-backend=flashinfer", model=HYBRID), None),
    (
        "adapters and weights on the host",
        "0.8.5",
        {"lora": LORA, "cpuOffloadGb": 2, "extra_env": {"VLLM_USE_V1": "0"}},
        "vllm-adapters-with-offload-on-v0",
    ),
    ("on V1", "0.8.5", {"lora": LORA, "cpuOffloadGb": 2}, None),
    ("pieces of what nothing compiles", "0.10.2", asked(PIECES), "vllm-pieces-without-compilation"),
    ("eager", "0.10.2", asked(PIECES, enforceEager=True), None),
    ("a compiler unknown", "0.26.0", asked("-cc.backend=nvfuser"), "vllm-backend-of-pieces"),
    ("inductor", "0.26.0", asked("-cc.backend=inductor"), None),
    ("any for the whole", "0.26.0", asked("-cc.backend=openxla", "-cc.mode=1"), None),
    (
        "more than a group",
        "0.26.0",
        asked("--offload-group-size=4", "--offload-num-in-group=8"),
        "vllm-offloaded-group",
    ),
    ("half a group", "0.26.0", asked("--offload-group-size=4", "--offload-num-in-group=2"), None),
    (
        "more active than a batch",
        "0.33.0",
        asked("--max-num-active-seqs=128", maxNumSeqs=64),
        "vllm-more-active-sequences",
    ),
    ("drafts on V0", "0.10.2", {"speculativeConfig": THREE, "extra_env": {"VLLM_USE_V1": "0"}}, "vllm-drafts-on-v0"),
    ("drafts on V1", "0.10.2", {"speculativeConfig": THREE}, None),
    ("drafts on an old V0", "0.9.2", {"speculativeConfig": THREE, "extra_env": {"VLLM_USE_V1": "0"}}, None),
    (
        "drafts on a T4",
        "0.10.1",
        {"speculativeConfig": THREE, "gpu": T4, "dtype": "half"},
        "vllm-drafts-on-v0-before-ampere",
    ),
    ("drafts on a T4 by V1", "0.10.2", {"speculativeConfig": THREE, "gpu": T4, "dtype": "half"}, None),
    (
        "capped logits by FlexAttention",
        "0.26.0",
        {"model": GEMMA_2, "attentionBackend": "FLEX_ATTENTION"},
        "vllm-flex-attention-of-capped-logits",
    ),
    ("capped logits by Triton", "0.26.0", {"model": GEMMA_2, "attentionBackend": "TRITON_ATTN"}, None),
    ("as many", "0.33.0", asked("--max-num-active-seqs=64", maxNumSeqs=64), None),
]


@pytest.mark.parametrize(("what", "version", "settings", "rule"), CASES, ids=[what for what, *_ in CASES])
def test_what_contradicts_is_refused_and_its_neighbour_is_not(
    what: str, version: str, settings: dict[str, Any], rule: str | None
) -> None:
    given = {"gpu": L4, "model": QWEN, **settings}
    assert errors("vllm", version, **given) == ({rule} if rule else set())
