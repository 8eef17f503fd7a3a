"""Secrets behind options and in addresses: refused unseen; and what a value of JSON may be."""

import pytest

from l4serve.config.json_text import json_value
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.secrecy.secret_names import names_a_secret
from l4serve.config.secrecy.secret_shapes import redact
from l4serve.config.secrets_guard import guard
from l4serve.engines.releases.contract import contract_versions, load_contract
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


_FOR_SECRETS = {"--api-key", "--hf-token", "--ngrok-authtoken"}


def test_no_beginning_of_an_option_reads_as_a_secrets_unless_the_option_is_one() -> None:
    """Parsers take a beginning for the whole; one of a single word, such as --token, is not looked at."""
    contracts = (load_contract(kind, version) for kind in ("vllm", "tgi") for version in contract_versions(kind))
    options = {option for contract in contracts for option in contract.flags.named} - _FOR_SECRETS
    taken = {option[:end] for option in options if option.startswith("--") for end in range(5, len(option) + 1)}
    assert [cut for cut in sorted(taken) if "-" in cut[2:] and names_a_secret(cut)] == []


@pytest.mark.parametrize(
    ("argument", "refused"),
    [
        ("--max-num-batched-tok=4096", False),
        ("--max_num_batched_tok=4096", False),
        ("--spec-token=5", False),
        ("--hf-tok=hunter22", True),
        ("--api-k=hunter22", True),
        ("--ngrok-auth=hunter22", True),
        ("--token=hunter22", True),
        ("--max-num-tok=hunter22", True),
    ],
)
def test_a_count_of_tokens_in_fewer_letters_is_no_secret(argument: str, refused: bool) -> None:
    found = [*guard(serving({"qwen": workload(extraArgs=[argument])}))]
    assert bool(found) == refused
