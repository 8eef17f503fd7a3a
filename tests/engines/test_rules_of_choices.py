"""What a release takes by default or is asked for beside its fields: batches, runners, states in blocks, operators."""

from typing import Any

import pytest

from l4serve.engines.traits import GpuTraits
from tests.engines.rule_cases import L4, QWEN, errors, like, verdicts

H100 = GpuTraits("nvidia-h100-80gb", (9, 0), 79.3)
BATCH = "vllm-batch-below-sequences-of-the-card"
MAMBA = like(QWEN, architecture="FalconH1ForCausalLM")
THEIRS = like(QWEN, id="mistralai/Mistral-Small-24B-Instruct-2501", architecture="MistralForCausalLM")
NGRAM = {"method": "ngram", "num_speculative_tokens": 3}
DRAFT = {"method": "draft_model", "model": "Qwen/Qwen2.5-0.5B", "num_speculative_tokens": 3}


@pytest.mark.parametrize(
    ("version", "gpu", "settings", "refused"),
    [
        ("0.9.2", H100, {"maxNumBatchedTokens": 512}, True),
        ("0.10.0", H100, {"maxNumBatchedTokens": 512}, True),
        ("0.10.1", H100, {"maxNumBatchedTokens": 512}, False),
        ("0.9.2", H100, {"maxNumBatchedTokens": 1024}, False),
        ("0.9.2", H100, {"maxNumBatchedTokens": 512, "maxNumSeqs": 512}, False),
        ("0.9.2", L4, {"maxNumBatchedTokens": 512}, False),
        ("0.8.0", GpuTraits("nvidia-l4", (8, 9), 22.0), {"maxNumBatchedTokens": 512}, True),
        ("0.8.5", GpuTraits("nvidia-l4", (8, 9), 22.0), {"maxNumBatchedTokens": 512}, False),
    ],
)
def test_a_batch_holds_the_sequences_that_the_release_takes_on_the_card(
    version: str, gpu: GpuTraits, settings: dict[str, Any], *, refused: bool
) -> None:
    assert (BATCH in errors("vllm", version, QWEN, gpu=gpu, maxModelLen=4096, **settings)) is refused


@pytest.mark.parametrize(
    ("version", "asked", "drafts", "rule"),
    [
        ("0.26.0", "1", NGRAM, "vllm-v2-asked-for-drafts"),
        ("0.26.0", "0", NGRAM, None),
        ("0.26.0", None, NGRAM, None),
        ("0.26.0", "1", DRAFT, "vllm-v2-asked-for-drafts"),
        ("0.31.0", "1", DRAFT, None),
        ("0.31.0", "1", NGRAM, "vllm-v2-asked-for-drafts-of-0-31"),
        ("0.32.0", "1", NGRAM, None),
        ("0.33.0", "1", {"method": "suffix", "num_speculative_tokens": 3}, "vllm-v2-asked-for-drafts-since-0-33"),
    ],
)
def test_the_v2_runner_is_refused_drafts_that_it_lacks_where_it_is_asked_for(
    version: str, asked: str | None, drafts: dict[str, Any], rule: str | None
) -> None:
    env = {"VLLM_USE_V2_MODEL_RUNNER": asked} if asked else {}
    found = errors("vllm", version, QWEN, extra_env=env, speculativeConfig=drafts)
    assert {name for name in found if name.startswith("vllm-v2-asked")} == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("version", "model", "settings", "refused"),
    [
        ("0.26.0", QWEN, {}, False),
        ("0.26.0", QWEN, {"enablePrefixCaching": False}, True),
        ("0.26.0", MAMBA, {}, True),
        ("0.26.0", MAMBA, {"enablePrefixCaching": True}, False),
        ("0.28.0", MAMBA, {}, False),
        ("0.28.0", MAMBA, {"enablePrefixCaching": False}, True),
        ("0.26.0", MAMBA, {"maxModelLen": 512}, False),
    ],
)
def test_a_mamba_block_size_needs_prefix_caching(
    version: str, model: Any, settings: dict[str, Any], *, refused: bool
) -> None:
    found = errors("vllm", version, model, extra_args=("--mamba-block-size=512",), **{"maxModelLen": 4096, **settings})
    assert any(name.startswith("vllm-mamba-block") for name in found) is refused


@pytest.mark.parametrize(
    ("version", "operators", "rule"),
    [
        ("0.26.0", ["none", "+rms_norm"], None),
        ("0.26.0", ["rms_norm"], "vllm-custom-ops-malformed"),
        ("0.10.2", ["rms_norm"], None),
        ("0.26.0", ["+"], "vllm-custom-ops-malformed"),
        ("0.8.5", ["all", "none"], "vllm-custom-ops-of-two-bases"),
        ("0.26.0", ["all", "none"], "vllm-custom-ops-of-two-bases"),
        ("0.26.0", ["+rms_norm", "-rms_norm"], None),
        ("0.33.0", ["+rms_norm", "-rms_norm"], "vllm-custom-ops-both-ways"),
    ],
)
def test_custom_operators_are_named_as_the_release_reads_them(
    version: str, operators: list[str], rule: str | None
) -> None:
    found = errors("vllm", version, QWEN, compilationConfig={"custom_ops": operators})
    assert {name for name in found if name.startswith("vllm-custom-ops")} == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("model", "settings", "extra_args", "rule"),
    [
        (QWEN, {"loadFormat": "mistral"}, (), "vllm-files-of-mistral-for-another-model"),
        (QWEN, {}, ("--config-format=mistral",), "vllm-files-of-mistral-for-another-model"),
        (QWEN, {}, ("--config-format=hf",), None),
        (THEIRS, {"loadFormat": "mistral"}, ("--config-format=mistral",), None),
        (like(THEIRS, id="TheBloke/Mistral-7B"), {"loadFormat": "mistral"}, (), "vllm-files-of-mistral-elsewhere"),
    ],
)
def test_files_of_mistral_are_in_its_own_repositories(
    model: Any, settings: dict[str, Any], extra_args: tuple[str, ...], rule: str | None
) -> None:
    found = verdicts("vllm", "0.26.0", model, extra_args=extra_args, **settings)
    assert {name for name in found if name.startswith("vllm-files-of-mistral")} == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("version", "settings", "rule"),
    [
        ("0.16.0", {"extraArgs": ["--cudagraph-capture-sizes", "1", "2"]}, "vllm-graphs-below-drafts"),
        ("0.16.0", {"extraArgs": ["--cudagraph-capture-sizes", "1", "4"]}, None),
        ("0.16.0", {"extraArgs": ["--max-cudagraph-capture-size", "3"]}, "vllm-graphs-below-drafts"),
        ("0.16.0", {"extraArgs": ["--max-cudagraph-capture-size", "7"]}, None),
        ("0.16.0", {"compilationConfig": {"cudagraph_capture_sizes": [2]}}, "vllm-graphs-below-drafts"),
        ("0.16.0", {"compilationConfig": {"cudagraph_capture_sizes": [2], "cudagraph_mode": "PIECEWISE"}}, None),
        ("0.16.0", {"extraArgs": ["--max-cudagraph-capture-size", "3"], "enforceEager": True}, None),
        ("0.11.1", {"extraArgs": ["--max-cudagraph-capture-size", "3"]}, None),
        ("0.25.0", {"extraArgs": ["--max-cudagraph-capture-size", "3"]}, None),
        ("0.12.0", {"maxNumSeqs": 1}, "vllm-default-graphs-below-drafts"),
        ("0.12.0", {"maxNumSeqs": 2}, None),
        ("0.13.0", {"maxNumSeqs": 1}, None),
    ],
)
def test_the_largest_graph_holds_a_sequence_and_its_drafts(
    version: str, settings: dict[str, Any], rule: str | None
) -> None:
    given = dict(settings)
    args = given.pop("extraArgs", ())
    found = errors("vllm", version, QWEN, extra_args=args, speculativeConfig=NGRAM, **given)
    assert {name for name in found if name.endswith("below-drafts")} == ({rule} if rule else set())
