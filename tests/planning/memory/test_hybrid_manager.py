"""vLLM's hybrid KV cache manager: what turns it off, and what that costs."""

import pytest

from l4serve.engines.releases.contract import load_contract
from l4serve.planning.memory.extra_flags import with_flags
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from tests.planning.memory.fits import fit_on

CONNECTOR = '--kv-transfer-config={"kv_connector":"%s","kv_role":"kv_both"}'
LMCACHE = CONNECTOR % "LMCacheConnectorV1"
OFFLOADING = (
    '--kv-transfer-config={"kv_connector":"OffloadingConnector",'
    '"kv_connector_extra_config":{"cpu_bytes_to_use":8589934592}}'
)
EVENTS = '--kv-events-config={"enable_kv_cache_events":true}'
OFF, ON = "--disable-hybrid-kv-cache-manager", "--no-disable-hybrid-kv-cache-manager"


def asked(*flags: str, version: str = "0.26.0") -> ServingOptions:
    options = ServingOptions(engine="vllm", engine_version=version, max_model_len=8192)
    return with_flags(options, flags, {}, load_contract("vllm", version))


def fit(model: str, options: ServingOptions) -> Fit:
    return fit_on("nvidia-l4", model, options)


@pytest.mark.parametrize(
    ("flags", "version", "groups"),
    [
        ((), "0.26.0", True),
        ((OFF,), "0.26.0", False),
        ((LMCACHE,), "0.26.0", False),
        ((LMCACHE, ON), "0.26.0", True),
        ((OFFLOADING,), "0.26.0", True),
        ((OFFLOADING,), "0.21.0", False),
        ((OFFLOADING, ON), "0.21.0", True),
        ((ON, OFFLOADING), "0.21.0", True),
        ((OFFLOADING, OFF), "0.26.0", False),
        ((EVENTS,), "0.19.1", False),
        ((EVENTS,), "0.20.0", True),
    ],
)
def test_the_hybrid_manager_is_on_or_off_as_the_release_decides(
    flags: tuple[str, ...], version: str, groups: bool
) -> None:
    assert asked(*flags, version=version).groups_layers == groups


def test_without_the_manager_sliding_layers_keep_every_token() -> None:
    with_groups, without = (fit("google/gemma-3-4b-it", asked(*flags)) for flags in ((), (OFF,)))
    assert without.kv_room_gib == with_groups.kv_room_gib
    assert without.kv_cache_tokens < 0.75 * with_groups.kv_cache_tokens


def test_a_plain_model_needs_no_manager() -> None:
    assert fit("Qwen/Qwen3-4B", asked(OFF)) == fit("Qwen/Qwen3-4B", asked())


def test_a_model_with_states_does_not_start_without_the_manager() -> None:
    found = fit("Qwen/Qwen3.5-9B", asked(LMCACHE))
    assert not found.fits
    assert not found.margin_is_uncertain
    assert any("hybrid KV cache manager" in reason for reason in found.reasons)


def test_hybrid_models_cache_prefixes_unasked_since_0_28() -> None:
    """An L4 kept 267,842 tokens of Qwen3.5-4B in 9.1 GiB on 0.29.0 (log-16274 in field_observations.jsonl)."""
    plain, cached = (fit("Qwen/Qwen3.5-4B", asked_long(version)) for version in ("0.27.0", "0.29.0"))
    assert cached.kv_cache_tokens / cached.kv_room_gib == pytest.approx(267_842 / 9.1, rel=0.002)
    assert plain.kv_cache_tokens / plain.kv_room_gib > 1.03 * 267_842 / 9.1


def asked_long(version: str) -> ServingOptions:
    return ServingOptions(engine="vllm", engine_version=version, max_model_len=32768, max_num_seqs=256)
