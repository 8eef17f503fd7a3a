"""Contracts are complete, agree with the releases' own parsers, and resolve as documented."""

import json
from pathlib import Path
from typing import Any

import pytest

from l4serve.config.words.spelling import by_number
from l4serve.engines.releases.contract import Contract, contract_versions, load_contract
from l4serve.engines.releases.resolution import ContractError, resolve_contract
from tests.each_case import each
from tests.engines.seen_rows import rows_of

OBSERVED = json.loads((Path(__file__).parent / "observed" / "vllm-parsers.json").read_text("utf-8"))
"""What each release's own parser registered, as `scripts/observe_parser.py` saw it: option, span of releases, entry."""
ALL = [load_contract(kind, version) for kind in ("vllm", "tgi") for version in contract_versions(kind)]
VLLM = [contract for contract in ALL if contract.engine == "vllm"]


def observed(release: str) -> dict[str, dict[str, Any]]:
    return rows_of(release, OBSERVED["releases"], OBSERVED["options"])


def name(contract: Contract) -> str:
    return contract.name


def test_the_versions_that_the_project_promises_have_contracts() -> None:
    vllm, tgi = contract_versions("vllm"), contract_versions("tgi")
    assert (vllm[0], vllm[-1], len(vllm)) == ("0.8.0", "0.33.0", 50)
    assert {"0.8.5.post1", "0.9.0.1", "0.15.0", "0.15.1"} <= set(vllm)
    assert (tgi[0], tgi[-1], len(tgi)) == ("2.0.0", "3.3.7", 29)


@each(VLLM, name)
def test_option_strings_are_those_of_the_real_parser(contract: Contract) -> None:
    ours = {option for flag in contract.flags.values() for option in flag.spellings}
    assert ours == set(observed(contract.version))


@each(VLLM, name)
def test_counts_and_choices_are_those_of_the_real_parser(contract: Contract) -> None:
    entries = observed(contract.version)
    for flag in contract.flags.values():
        seen = entries[flag.name]
        assert (sorted(flag.choices) if flag.choices else None) == seen["choices"], flag.name
        assert flag.takes_value == (seen["nargs"] != 0), flag.name
        if flag.takes_value:
            assert flag.nargs == seen["nargs"], flag.name


@each(ALL, name)
def test_words_of_a_flag_come_in_the_order_of_their_numbers(contract: Contract) -> None:
    for flag in contract.flags.values():
        for words in (flag.choices or (), flag.values or ()):
            assert list(words) == by_number(words), flag.name


@each(ALL, name)
def test_every_part_of_a_contract_is_there(contract: Contract) -> None:
    assert contract.health_path in contract.paths
    assert contract.metrics_path in contract.paths
    assert set(contract.api_paths) <= set(contract.paths)
    assert set(contract.autoscaling_metrics.values()) <= contract.always_metrics
    assert set(contract.autoscaling_metrics) >= {"queue", "running"}
    assert contract.shutdown.grace_seconds >= 60 and contract.shutdown.signal == "SIGTERM"
    assert contract.shutdown.drain_flag is None or contract.flag(contract.shutdown.drain_flag)
    assert contract.port_flag is None or contract.flag(contract.port_flag)
    assert contract.port_env is None or contract.port_env in contract.env
    assert contract.flag(contract.model_flag)
    assert contract.image_facts.cuda and contract.image_facts.user == "root"
    assert set(contract.token_envs) <= {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}
    assert contract.token_env == contract.token_envs[0]
    assert contract.env and contract.architectures and contract.sources["flags"]


@each(VLLM, name)
def test_an_l4_gets_the_small_batch_limits(contract: Contract) -> None:
    limits = contract.batch_limits_for(22.05, "NVIDIA L4")
    sequences = 1024 if contract.version in ("0.8.0", "0.8.1", "0.8.2", "0.8.3") else 256
    assert limits and (limits.max_num_batched_tokens, limits.max_num_seqs) == (2048, sequences)
    large = contract.batch_limits_for(79.1, "NVIDIA H100 80GB HBM3")
    assert large and large.max_num_batched_tokens > 2048
    a100 = contract.batch_limits_for(79.1, "NVIDIA A100-SXM4-80GB")
    assert a100 == (large if contract.version.startswith("0.8.5") else limits)


def test_an_a100_of_80_gib_counts_as_a_small_card() -> None:
    contract = load_contract("vllm", "0.26.0")
    limits = contract.batch_limits_for(80, "NVIDIA A100-SXM4-80GB")
    assert limits and limits.max_num_seqs == 256


def test_the_guides_images_and_token_variable() -> None:
    vllm = resolve_contract("vllm", "v0.10.0").contract
    assert vllm.image == "docker.io/vllm/vllm-openai:v0.10.0"
    assert vllm.token_env == "HUGGING_FACE_HUB_TOKEN"
    assert vllm.command == ("python3", "-m", "vllm.entrypoints.openai.api_server")
    tgi = resolve_contract("tgi", "2.3").contract
    assert tgi.image.endswith("huggingface-text-generation-inference-cu124.2-3.ubuntu2204.py311")
    assert tgi.token_envs == ("HUGGING_FACE_HUB_TOKEN", "HF_TOKEN")
    assert tgi.port_env == "PORT" and tgi.command is None
    assert resolve_contract("tgi", "3.3.7").contract.token_env == "HF_TOKEN"


@pytest.mark.parametrize(
    ("kind", "version", "override", "image"),
    [
        ("vllm", "0.26", None, "docker.io/vllm/vllm-openai:v0.26.0"),
        ("vllm", "v0.27.1", None, "docker.io/vllm/vllm-openai:v0.27.1"),
        ("vllm", "0.27.0rc1", None, "docker.io/vllm/vllm-openai:v0.27.0rc1"),
        ("vllm", "0.7.3", "0.8.0", "docker.io/vllm/vllm-openai:v0.7.3"),
        ("tgi", "2.1.1", "2.3.1", "ghcr.io/huggingface/text-generation-inference:2.1.1"),
        ("tgi", "2.1.1", None, "ghcr.io/huggingface/text-generation-inference:2.1.1"),
        ("vllm", "0.34.0", "0.33.0", "docker.io/vllm/vllm-openai:v0.34.0"),
        ("tgi", "3.0.1", None, "ghcr.io/huggingface/text-generation-inference:3.0.1"),
        ("tgi", "3.3", None, "ghcr.io/huggingface/text-generation-inference:3.3.7"),
        ("tgi", "3.3.7", "2.3.1", "ghcr.io/huggingface/text-generation-inference:3.3.7"),
    ],
)
def test_the_image_is_that_of_the_release_asked_for(kind: str, version: str, override: str | None, image: str) -> None:
    assert resolve_contract(kind, version, override).contract.image == image


def test_a_release_under_another_contract_keeps_what_belongs_to_its_image() -> None:
    new, old = resolve_contract("tgi", "3.0.1", "2.3.1").contract, resolve_contract("tgi", "2.3.1").contract
    assert (new.token_env, new.default_context) == ("HF_TOKEN", None)
    assert (old.token_env, old.default_context) == ("HUGGING_FACE_HUB_TOKEN", 4096)
    asked = resolve_contract("vllm", "0.11.0", "0.12.0").contract
    assert asked.version == "0.12.0" and not asked.image_facts.finds_driver


@pytest.mark.parametrize(
    ("kind", "version", "contract", "noted"),
    [
        ("vllm", "0.26.0", "0.26.0", False),
        ("vllm", "v0.26.0", "0.26.0", False),
        ("vllm", "0.27.0", "0.27.0", False),
        ("vllm", "0.8.5", "0.8.5", False),
        ("vllm", "0.8", "0.8.5.post1", False),
        ("vllm", "0.10.1", "0.10.1", False),
        ("vllm", "0.32.1", "0.32.0", True),
        ("vllm", "0.27.0rc1", "0.27.0", True),
        ("vllm", "0.33.0.post1", "0.33.0", True),
        ("vllm", "0.13", "0.13.0", False),
        ("tgi", "2.3", "2.3.1", False),
        ("tgi", "3.0.0", "3.0.0", False),
    ],
)
def test_a_version_takes_its_own_contract_or_the_nearest_before_it(
    kind: str, version: str, contract: str, noted: bool
) -> None:
    resolved = resolve_contract(kind, version)
    assert resolved.contract.version == contract
    assert (resolved.note is not None) is noted
    if noted:
        assert contract in str(resolved.note) and version in str(resolved.note)


@pytest.mark.parametrize(
    ("kind", "version"), [("vllm", "0.7.3"), ("vllm", "0.34.0"), ("tgi", "1.4.5"), ("tgi", "4.0.0")]
)
def test_outside_the_known_range_is_an_error_that_names_the_versions(kind: str, version: str) -> None:
    with pytest.raises(ContractError, match="outside the known versions"):
        resolve_contract(kind, version)


def test_an_override_names_the_contract_for_an_unknown_version() -> None:
    resolved = resolve_contract("vllm", "99.0", "0.26.0")
    assert resolved.contract.version == "0.26.0" and "as asked" in str(resolved.note)
    with pytest.raises(ContractError, match="there is no contract"):
        resolve_contract("vllm", "99.0", "98.0")


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(ContractError, match="is not a version"):
        resolve_contract("vllm", "latest")


def test_metrics_follow_the_release() -> None:
    old, new = load_contract("vllm", "0.10.0"), load_contract("vllm", "0.26.0")
    assert "vllm:gpu_cache_usage_perc" in old.always_metrics
    assert "vllm:gpu_cache_usage_perc" not in new.metrics
    assert new.autoscaling_metrics["cache"] == "vllm:kv_cache_usage_perc"
    assert new.metrics["vllm:prompt_tokens_total"] == "counter"
    assert new.metrics["vllm:spec_decode_num_drafts_total"] == "counter"
    assert "vllm:spec_decode_num_drafts_total" not in new.always_metrics
