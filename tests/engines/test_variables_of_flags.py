"""A variable that stands for an option of the launcher is held to what the option takes, in every release."""

import pytest

from l4serve.engines.argv import EngineRefusal
from l4serve.engines.releases.contract import Contract, contract_versions, load_contract
from l4serve.engines.releases.flags import Flag
from tests.each_case import each
from tests.engines.test_argv import built, refused

RELEASES = tuple(load_contract("tgi", version) for version in contract_versions("tgi"))
BAD = {
    "u16": ("65536", "-1", "x"),
    "u32": ("4294967296", "-1", "1.5"),
    "u64": ("-1", "1e3", ""),
    "f32": ("x", "", "1_0"),
}
BAD_SWITCH = ("1", "0", "yes", "True", "")
GOOD = {"u16": "+80", "u32": "4294967295", "u64": "7", "f32": "-0.5e1", "str": "x"}


def is_free(contract: Contract, flag: Flag) -> bool:
    """Whether the variable is the user's to set: a value that the option takes passes."""
    good = "true" if not flag.takes_value else flag.choices[0] if flag.choices else GOOD[flag.type]
    try:
        built(contract, extra_env={flag.env or "": good})
    except EngineRefusal:
        return False
    return True


@each(RELEASES, lambda contract: contract.name)
def test_a_variable_takes_what_its_option_takes(contract: Contract) -> None:
    free = [flag for flag in contract.flags.values() if flag.env and is_free(contract, flag)]
    assert len(free) >= 10
    for flag in free:
        bad = BAD_SWITCH if not flag.takes_value else ("no-such",) if flag.choices else BAD.get(flag.type, ())
        for value in bad:
            assert refused(contract, extra_env={flag.env: value}).keys() == {f"extraEnv.{flag.env}"}, (flag, value)
            if flag.takes_value:
                assert refused(contract, extra_args=(f"{flag.name}={value}",)).keys() == {"extraArgs[0]"}, (flag, value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WATERMARK_GAMMA", "x", "'x' is not a number"),
        ("MAX_CLIENT_BATCH_SIZE", "0", "/v1/completions"),
        ("PAYLOAD_LIMIT", "0", "every request"),
        ("MAX_TOP_N_TOKENS", "-1", "whole number from 0 to 4294967295"),
        ("TRUST_REMOTE_CODE", "1", "trustRemoteCode"),
        ("JSON_OUTPUT", "1", "'1' is none of its choices"),
        ("USAGE_STATS", "of", "did you mean off?"),
        ("ROPE_SCALING", "yarn", "none of its choices"),
        ("VALIDATION_WORKERS", "0", "worker"),
    ],
)
def test_a_refusal_says_what_the_variable_takes(name: str, value: str, words: str) -> None:
    assert words in refused(RELEASES[-1], extra_env={name: value})[f"extraEnv.{name}"]


TAKEN = {
    "MAX_CLIENT_BATCH_SIZE": "32",
    "JSON_OUTPUT": "true",
    "DISABLE_CUSTOM_KERNELS": "false",
    "WATERMARK_GAMMA": "0.25",
    "ROPE_FACTOR": "inf",
    "PAYLOAD_LIMIT": "4000000",
    "USAGE_STATS": "off",
    "VALIDATION_WORKERS": "+2",
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_variable_that_the_launcher_takes_passes(name: str) -> None:
    assert built(RELEASES[-1], extra_env={name: TAKEN[name]}).env[name] == TAKEN[name]
