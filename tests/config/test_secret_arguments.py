"""Secrets behind options and in addresses: refused unseen; and what a value of JSON may be."""

import pytest

from l4serve.config.json_text import json_value
from l4serve.config.problems import ConfigError
from l4serve.config.secret_shapes import redact
from tests.each_case import each
from tests.factories import planned, serving, workload

BESIDE = [
    ["--api-key hunterhunter", "--max-num-seqs=8"],
    ["--api-key hunterhunter --port=8000"],
    ["--api-key\thunterhunter --x=1"],
    ["--hf-token hunterhunter", "--max-num-seqs=8"],
    ["--api-key:hunterhunter", "--max-num-seqs=8"],
    ["--api", "hunterhunter"],
    ["--ap=hunterhunter"],
]


@each(BESIDE, str)
def test_a_secret_behind_its_option_in_one_argument_is_unseen(arguments: list[str]) -> None:
    with pytest.raises(ConfigError, match="would put a secret on the command line") as refused:
        planned(serving({"qwen": workload(extraArgs=arguments)}))
    assert "hunterhunter" not in str(refused.value)


def test_a_count_of_servers_is_no_key() -> None:
    planned(serving({"qwen": workload(extraArgs=["--api-server-count", "2"])}))


def test_a_bots_token_is_known_in_its_address() -> None:
    token = "123456789:AA" + "b1C2" * 8
    assert token not in redact(f"https://api.telegram.org/bot{token}/sendMessage")


def test_an_object_that_is_nested_too_deeply_is_no_object() -> None:
    with pytest.raises(ValueError, match="deeply"):
        json_value('{"a":' * 100_000)
    planned(serving({"qwen": workload(engine={"chatTemplate": '{"a":' * 1500})}))
