"""What was seen on a machine with a real vLLM agrees with the contract of that release."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import l4serve.engines
from l4serve.engines.arguments.checking import check_argv
from l4serve.engines.releases.contract import load_contract
from scripts.emit_argv_cases import cases
from tests.stack_cases import ROOT

OBSERVED = Path(l4serve.engines.__path__[0]) / "data" / "observed"


def seen(what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((OBSERVED / f"vllm-0.26.0-{what}.json").read_text("utf-8"))
    return found


def test_the_parsers_options_are_the_contracts() -> None:
    contract = load_contract("vllm", "0.26.0")
    options = [option for option in seen("parser")["options"] if "--help" not in option["flags"]]
    assert {name for option in options for name in option["flags"]} == {
        name for flag in contract.flags.values() for name in flag.spellings
    }
    for option in options:
        flag = contract.flag(option["flags"][0])
        assert flag is not None
        choices = sorted(map(str, option["choices"])) if option.get("choices") else None
        assert (sorted(flag.choices) if flag.choices else None) == choices, flag.name
        if flag.default is not None and isinstance(flag.default, int | float | str):
            assert option["default"] == flag.default or flag.name == "--mamba-backend", flag.name


def test_at_least_three_hundred_command_lines_were_taken_as_the_contract_says() -> None:
    argv = seen("argv")
    assert argv["toAccept"] >= 300
    assert argv["toRefuse"] >= 100
    assert argv["disagreements"] == []


def test_what_the_parser_refused_the_contract_refuses() -> None:
    contract = load_contract("vllm", "0.26.0")
    refusals = seen("argv")["refusals"]
    assert len(refusals) >= 100
    for refusal in refusals:
        assert check_argv(tuple(refusal["argv"]), {}, contract), refusal["argv"]


def test_a_server_started_with_a_planned_command_line_and_showed_the_contracts_metrics() -> None:
    server = seen("server")
    contract = load_contract("vllm", "0.26.0")
    assert server["ok"]
    assert check_argv(tuple(server["argv"]), {}, contract) == ()
    metrics = next(check for check in server["checks"] if check["name"] == "metrics")
    assert metrics["ok"]
    assert metrics["detail"].startswith(f"all {len(contract.always_metrics)} metrics of the contract")


@pytest.mark.parametrize("flag", ["--swap-space", "--disable-log-requests", "--num-scheduler-steps"])
def test_the_real_parser_refused_the_removed_flags(flag: str) -> None:
    told = {refusal["argv"][0].split("=")[0]: refusal["vllm"] for refusal in seen("argv")["refusals"]}
    assert "unrecognized arguments" in told[flag]


@pytest.mark.parametrize("version", ["0.9.2", "0.33.0"])
def test_the_page_counts_the_command_lines_that_are_made(version: str) -> None:
    page = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| {re.escape(version)} \| \d+ \| (\d+) \| 0 \|$", page, re.MULTILINE)
    assert found
    assert len(list(cases(load_contract("vllm", version), seed=1))) == int(found[1])


@pytest.mark.parametrize("version", ["0.17.1", "0.21.0", "0.25.1", "0.33.0"])
def test_no_command_line_is_to_be_refused_for_what_only_the_start_refuses(version: str) -> None:
    """A parser takes any text for --mamba-backend; the start looks it up, so a sample says one that it knows."""
    refused = [case for case in cases(load_contract("vllm", version), 977, combinations=0) if not case["accept"]]
    assert [case["argv"] for case in refused if "none that the release knows" in case["why"]] == []
