"""Advice on a stack is what its plan takes, written or not, and a size keeps up on the slowest card."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.advising.ranking import Wish
from l4serve.advising.sizing import missed
from l4serve.cli.app import app
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import speed_of
from tests.planning.performance.engines import served
from tests.stack_cases import ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def advised(*args: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["advise", "--goal", "cost", *args, "--json"])
    assert done.exit_code in (0, 1), done.output
    return done.exit_code, json.loads(done.stdout)


@pytest.mark.parametrize("load", [("--rps", "60"), ("--concurrency", "512")])
def test_unwritten_advice_is_what_would_be_written(load: tuple[str, str], project: Path) -> None:
    """The pool of the stack holds two nodes."""
    before = (project / "Pulumi.dev.yaml").read_bytes()
    shown = advised("-s", "dev", *load)
    assert (project / "Pulumi.dev.yaml").read_bytes() == before
    assert sorted(path.name for path in project.iterdir()) == ["Pulumi.dev.yaml", "Pulumi.yaml", "stacks"]
    assert advised("--write", "dev", *load) == shown
    code, answer = shown
    if code == 0:
        assert answer["winner"]["nodes"] <= 2
    else:
        assert any("nodePools.l4.maxNodes" in lost["reason"] for lost in answer["rejected"])


def test_a_written_file_keeps_its_mode_and_a_link_to_it(project: Path) -> None:
    file, kept = project / "Pulumi.dev.yaml", project / "kept.yaml"
    file.rename(kept)
    kept.chmod(0o640)
    file.symlink_to(kept)
    assert advised("--write", "dev")[0] == 0
    assert file.is_symlink()
    assert kept.stat().st_mode & 0o777 == 0o640
    assert "quantization" in kept.read_text("utf-8")


def test_a_size_keeps_up_where_the_cards_are_as_slow_as_they_may_be() -> None:
    load = Load(input_tokens=256, output_tokens=128, rate=1.0)
    most = speed_of(served(), load).most_requests
    assert most is not None
    close = Wish(goal="cost", load=Load(input_tokens=256, output_tokens=128, rate=0.95 * most), ttft_ms=1e9)
    speed = speed_of(served(), close.load)
    assert speed.figures.ttft_ms is not None
    assert "8 % slower" in str(missed(speed, close, 1))


def test_the_estimate_of_an_advice_has_the_keys_of_an_estimate(project: Path) -> None:
    args = ["--model", "Qwen/Qwen2.5-1.5B-Instruct", "--input-tokens", "512", "--output-tokens", "256"]
    told = CliRunner().invoke(app, ["estimate", *args, "--concurrency", "8", "--json"])
    keys = set(json.loads(told.stdout)) - {"refused", "load"}
    _, answer = advised("-s", "dev", "--concurrency", "600")
    for judged in (answer["winner"], *answer["front"]):
        assert keys <= set(judged["estimate"])
        assert judged["estimate"]["notJudged"] == []
        for key in ("usdPerHour", "usdPerHourOfNodes"):
            assert judged[key] == float(f"{judged[key]:.5g}")
    assert any("crowd" in said for said in answer["winner"]["estimate"]["assumed"])


@pytest.mark.parametrize(
    ("workload", "edit"),
    [("vllm-7b-awq", {"engine.quantization": "awq_marlin"}), ("vllm-7b-kvcache", {"engine.kvCacheDtype": "auto"})],
)
def test_a_setting_that_a_rule_calls_slower_is_taken_back(workload: str, edit: dict[str, str], project: Path) -> None:
    shutil.copy(ROOT / "Pulumi.guide.yaml", project / "Pulumi.guide.yaml")
    code, answer = advised("-s", "guide", "--workload", workload)
    assert code == 0
    assert edit.items() <= answer["winner"]["edit"].items()
    assert any(next(iter(edit)) in reason for reason in answer["winner"]["reasons"])


def test_the_page_says_what_was_asked_and_what_serves_it(project: Path) -> None:
    page = project / "advice.html"
    shown = CliRunner().invoke(app, ["advise", "-s", "dev", "--goal", "cost", "--rps", "2", "--html", str(page)])
    assert shown.exit_code == 0
    text = page.read_text("utf-8")
    assert "512 tokens in, 256 out, 2 requests a second" in text
    assert "one more replica serves after" in text
    crowd = CliRunner().invoke(app, ["advise", "-s", "dev", "--goal", "throughput", "--concurrency", "600"])
    assert "assumed: more than 256 clients" in crowd.stdout
