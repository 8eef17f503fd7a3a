"""A KV cache on the host: in blocks up to vLLM 0.13, in bytes since (vllm#24498)."""

import json

import pytest

from tests.engines.rule_cases import QWEN, errors

BLOCKS, BYTES = "vllm-offloaded-blocks-unsaid", "vllm-offloaded-bytes-unsaid"
CONNECTOR = {"kv_connector": "OffloadingConnector", "kv_role": "kv_both"}
DOTTED = "--kv-transfer-config.kv_connector_extra_config."


def told(version: str, *more: str, **extra: object) -> set[str]:
    connector = CONNECTOR | ({"kv_connector_extra_config": extra} if extra else {})
    args = (f"--kv-transfer-config={json.dumps(connector)}", *more)
    return errors("vllm", version, QWEN, extra_args=args) & {BLOCKS, BYTES}


@pytest.mark.parametrize(
    ("version", "blocks"),
    [("0.11.0", True), ("0.13.0", True), ("0.14.0", False), ("0.33.0", False)],
)
def test_what_says_the_room(version: str, *, blocks: bool) -> None:
    assert told(version) == {BLOCKS if blocks else BYTES}
    assert told(version, num_cpu_blocks=1000) == (set() if blocks else {BYTES})
    assert told(version, cpu_bytes_to_use=10**9) == ({BLOCKS} if blocks else set())
    assert told(version, spec_name="Own", spec_module_path="own.spec") == set()


def test_other_ways_to_say_it() -> None:
    split = tuple(f"--kv-transfer-config.{key}={value}" for key, value in CONNECTOR.items())
    asked = (*split, f"{DOTTED}cpu_bytes_to_use=1000000000")
    assert not errors("vllm", "0.26.0", QWEN, extra_args=asked) & {BLOCKS, BYTES}
    assert not errors("vllm", "0.26.0", QWEN, extra_args=("--kv-offloading-size=8",)) & {BLOCKS, BYTES}
