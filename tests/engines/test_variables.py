"""What a release cannot read in an environment variable is refused, and what it reads passes."""

import json
from pathlib import Path

import pytest

from l4serve.engines.arguments.value_texts import value_fault
from l4serve.engines.releases.contract import Contract, contract_versions, load_contract
from l4serve.engines.releases.variables import variable_of
from l4serve.engines.rule_inputs import facts_of
from tests.each_case import each
from tests.engines.rule_cases import case, errors, verdicts
from tests.engines.seen_rows import rows_of
from tests.engines.test_argv import built, refused

OBSERVED = json.loads((Path(__file__).parent / "observed" / "vllm-environment.json").read_text("utf-8"))
"""What each release's own modules could not read, as `scripts/observe_environment.py` saw it."""
SEEN = [load_contract("vllm", release) for release in OBSERVED["releases"]]
MAY_NAME_A_FILE = ("VLLM_HUMMING_INPUT_QUANT_CONFIG", "VLLM_HUMMING_ONLINE_QUANT_CONFIG")
ALL = contract_versions("vllm")
NEWEST, READ_LATE = load_contract("vllm", "0.33.0"), load_contract("vllm", "0.11.0")


def seen_of(release: str) -> dict[str, list[str]]:
    found = rows_of(release, OBSERVED["releases"], OBSERVED["refused"])
    return {name: OBSERVED["sets"][str(number)] for name, number in found.items()}


@each(SEEN, lambda contract: contract.name)
def test_a_contract_takes_what_the_releases_own_modules_read(contract: Contract) -> None:
    ours: dict[str, list[str]] = {}
    for name in contract.env:
        variable = variable_of(name, contract)
        found = [text for text in OBSERVED["samples"] if variable and value_fault(variable.takes, text)]
        ours |= {name: found} if found else {}
    theirs = {name: texts for name, texts in seen_of(contract.version).items() if name not in MAY_NAME_A_FILE}
    assert ours == theirs


@pytest.mark.parametrize("version", ["0.8.0", "0.11.0", "0.11.1", "0.26.0", "0.33.0"])
def test_a_level_that_logging_does_not_know_ends_every_release(version: str) -> None:
    contract = load_contract("vllm", version)
    told = refused(contract, extra_env={"VLLM_LOGGING_LEVEL": "DEBG"})
    assert "'DEBG' is none of its choices" in told["extraEnv.VLLM_LOGGING_LEVEL"]
    assert "did you mean DEBUG?" in told["extraEnv.VLLM_LOGGING_LEVEL"]
    assert built(contract, extra_env={"VLLM_LOGGING_LEVEL": "DEBUG"})


@pytest.mark.parametrize(("version", "reads"), [("0.8.1", False), ("0.8.2", True)])
def test_a_level_in_small_letters_is_read_since_0_8_2(version: str, *, reads: bool) -> None:
    variable = variable_of("VLLM_LOGGING_LEVEL", load_contract("vllm", version))
    assert variable and (value_fault(variable.takes, "debug") is None) is reads


@pytest.mark.parametrize(
    ("beside", "arguments"),
    [
        ({"VLLM_CONFIGURE_LOGGING": "0"}, ()),
        ({"VLLM_LOGGING_CONFIG_PATH": "/vllm-workspace/examples/logging.json"}, ()),
        ({}, ("--log-level=INFO",)),
        ({}, ("--logging-config.log_level=INFO",)),
    ],
)
def test_a_level_that_nothing_reads_passes(beside: dict[str, str], arguments: tuple[str, ...]) -> None:
    assert built(NEWEST, extra_env={"VLLM_LOGGING_LEVEL": "NOPE", **beside}, extra_args=arguments)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("VLLM_CONFIGURE_LOGGING", "true", "'true' is not 1 or 0 | give 1 or 0"),
        ("VLLM_ENGINE_READY_TIMEOUT_S", "10m", "'10m' is not a whole number | give a whole number"),
        ("VLLM_LOG_STATS_INTERVAL", "often", "'often' is not a number | give a number"),
        ("VLLM_KV_CACHE_LAYOUT", "nhd", "'nhd' is none of its choices"),
        ("VLLM_WORKER_MULTIPROC_METHOD", "forkserver", "give one of fork, spawn"),
        ("VLLM_GPT_OSS_SYSTEM_TOOL_MCP_LABELS", "container,browser", "'browser' is none of its choices"),
        ("VERBOSE", "yes", "'yes' is not 1 or 0"),
    ],
)
def test_a_refusal_says_what_the_release_takes(name: str, value: str, words: str) -> None:
    assert words in refused(NEWEST, extra_env={name: value})[f"extraEnv.{name}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VLLM_CONFIGURE_LOGGING", " 1 "),
        ("VLLM_LOG_STATS_INTERVAL", "1e1"),
        ("VLLM_FLOAT32_MATMUL_PRECISION", "HIGH"),
        ("VLLM_GPT_OSS_SYSTEM_TOOL_MCP_LABELS", " container, ,code_interpreter"),
        ("VLLM_LOGGING_PREFIX", "no %format"),
        ("VLLM_ALLOW_LONG_MAX_MODEL_LEN", "maybe"),
        ("VLLM_NO_USAGE_STATS", "yes"),
    ],
)
def test_what_the_release_reads_passes(name: str, value: str) -> None:
    assert built(NEWEST, extra_env={name: value}).env[name] == value


def test_what_a_start_may_never_read_warns() -> None:
    """Up to 0.11.0 a variable is read when something asks for it: an L4 never asks for a number of ROCm."""
    env = {"VLLM_ROCM_QUICK_REDUCE_MAX_SIZE_BYTES_MB": "x"}
    assert built(READ_LATE, extra_env=env)
    verdict = verdicts("vllm", "0.11.0", extra_env=env)["vllm-variable-that-a-start-may-read"]
    assert verdict.severity == "warning" and "'x' is not a whole number" in verdict.reason
    assert refused(load_contract("vllm", "0.11.1"), extra_env=env)
    for version, value in (("0.11.1", "x"), ("0.11.0", "1")):
        asked = dict.fromkeys(env, value)
        assert "vllm-variable-that-a-start-may-read" not in verdicts("vllm", version, extra_env=asked)


def test_an_unknown_variable_warns_and_ends_a_start_that_is_told_to_fail() -> None:
    env = {"VLLM_ACME_PLUGIN_MODE": "x"}
    found = verdicts("vllm", "0.26.0", extra_env=env)["vllm-unknown-variable"]
    assert found.severity == "warning" and "VLLM_ACME_PLUGIN_MODE" in found.reason
    hard = ("--fail-on-environ-validation",)
    assert errors("vllm", "0.26.0", extra_env=env, extra_args=hard) == {"vllm-unknown-variable-that-ends-the-start"}
    assert not errors("vllm", "0.26.0", extra_env={"ACME_MODE": "x"}, extra_args=hard)
    assert "vllm-unknown-variable" not in verdicts("vllm", "0.26.0", extra_env={"VLLM_CACHE_ROOT": "/tmp/x"})


@pytest.mark.parametrize(
    ("version", "name", "told"),
    [
        ("0.15.0", "VLLM_USE_V1", "there is no other engine than V1"),
        ("0.28.0", "VLLM_RPC_TIMEOUT", "it ended after 0.22.1"),
        ("0.9.2", "VLLM_USE_FLASHINFER_MOE_FP4", "it came with 0.10.0"),
    ],
)
def test_a_variable_of_other_releases_warns_where_nothing_replaces_it(version: str, name: str, told: str) -> None:
    """A start goes on as without it."""
    env = {name: "0"}
    found = verdicts("vllm", version, extra_env=env)["vllm-unknown-variable"]
    assert f"{name} ({told}" in found.reason
    assert built(load_contract("vllm", version), extra_env=env)


def test_a_variable_of_other_releases_ends_a_start_that_is_told_to_fail() -> None:
    strict = ("--fail-on-environ-validation",)
    found = errors("vllm", "0.26.0", extra_env={"VLLM_USE_V1": "1"}, extra_args=strict)
    assert found == {"vllm-unknown-variable-that-ends-the-start"}


def test_a_variable_that_a_flag_replaces_is_refused() -> None:
    """What it asks for would be left out without a word."""
    told = refused(NEWEST, extra_env={"VLLM_FLASH_ATTN_VERSION": "2"})["extraEnv.VLLM_FLASH_ATTN_VERSION"]
    assert "--attention-config.flash_attn_version" in told


def test_a_variable_that_is_refused_as_misspelt_is_told_once() -> None:
    """A near miss is a setting that would do nothing, unseen: it is refused with the name that was meant."""
    env = {"VLLM_LOGING_LEVEL": "DEBUG"}
    assert "did you mean VLLM_LOGGING_LEVEL?" in refused(NEWEST, extra_env=env)["extraEnv.VLLM_LOGING_LEVEL"]
    assert facts_of(case("vllm", "0.33.0", extra_env=env))["env.unknown"] is None


@pytest.mark.parametrize("version", [ALL[0], ALL[-1]])
def test_the_table_knows_variables_of_the_contract_alone(version: str) -> None:
    contract = load_contract("vllm", version)
    assert sum(variable_of(name, contract) is not None for name in contract.env) > 40
    assert variable_of("VLLM_NO_SUCH", contract) is None
