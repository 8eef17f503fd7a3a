"""What was recorded of how Pulumi's CLI reads stack files is what the CLI reads now, and what is planned with."""

import json
from pathlib import Path

import pytest

from scripts.record_yaml import RECORDING, Case, Cli, read_alone, read_together, same, stands_with_others

pytestmark = pytest.mark.pulumi_cli

CASES: list[Case] = json.loads(RECORDING.read_text("utf-8"))["cases"]
TOGETHER = [case for case in CASES if "serving" in case and stands_with_others(case["text"])]
ALONE = [case for case in CASES if case not in TOGETHER]


def test_the_recording_is_what_the_cli_reads(tmp_path: Path) -> None:
    """tests/config/reading/test_yaml_reader.py holds the reader against the recording."""
    cli = Cli(tmp_path)
    assert len(TOGETHER) > 2 * len(ALONE) > 0
    read = [*(read_together(cli, texts(TOGETHER)) or ()), *read_alone(cli, texts(ALONE))]
    assert [
        case["text"] for case, recorded in zip(read, (*TOGETHER, *ALONE), strict=True) if not same(case, recorded)
    ] == []


def texts(cases: list[Case]) -> list[str]:
    return [case["text"] for case in cases]
