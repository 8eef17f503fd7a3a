"""Requests that come at once and no more, as the H100's were sent: another load than clients that ask anew."""

import json
from dataclasses import replace
from statistics import median

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.performance.h100_points import h100_points
from l4serve.cli.commands.estimate_command import estimate
from l4serve.planning.performance.speed import Speed
from l4serve.planning.workload.judgement.fit_question import subject_of
from l4serve.planning.workload.judgement.judging import judge
from l4serve.planning.workload.judgement.speed_question import subject_speed

ESTIMATE = ("--model", "google/gemma-7b", "--gpu", "nvidia-h100-80gb", "--gpu-memory-gib", "22.03",
            "--max-model-len", "1200", "--input-tokens", "256", "--output-tokens", "128")  # fmt: skip

app = typer.Typer()
app.command()(estimate)


def run_cli(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(args), env={"COLUMNS": "200", "NO_COLOR": "1"})
    return result.exit_code, result.stdout, result.stderr


def test_a_burst_is_met_where_clients_that_ask_anew_are_said_to_be_faster() -> None:
    errors, faster = [], []
    for point in (point for point in h100_points() if point.at_once):
        subject = subject_of(point.question)
        judgement = judge(subject)

        def speed(*, burst: bool) -> Speed:
            return subject_speed(subject, judgement, replace(point.load, burst=burst))  # noqa: B023 - called at once

        once, steady = speed(burst=True), speed(burst=False)
        made, measured = once.figures.output_tokens_per_second, point.measured["tokens"]
        assert made
        low, high = once.low.output_tokens_per_second, once.high.output_tokens_per_second
        assert low
        assert high
        assert low <= measured <= high, point.id
        errors.append(abs(made / measured - 1))
        faster.append((steady.figures.output_tokens_per_second or 0) / measured - 1)
    assert len(errors) >= 18
    assert median(errors) < 0.04
    assert max(faster) > 0.25


@pytest.mark.parametrize(
    ("asked", "kind", "told"),
    [
        (("--concurrency", "64"), "closed", "64 at a time, each asking anew"),
        (("--rate", "2"), "open", "2 requests a second"),
        (("--requests-at-once", "64"), "burst", "64 at once and no more"),
    ],
)
def test_an_answer_says_which_load_is_meant(asked: tuple[str, ...], kind: str, told: str) -> None:
    code, out, _ = run_cli(*ESTIMATE, *asked, "--json")
    assert code == 0
    assert json.loads(out)["load"]["kind"] == kind
    assert told in " ".join(run_cli(*ESTIMATE, *asked)[1].split())


def test_one_load_is_asked_about() -> None:
    for asked in ((), ("--concurrency", "2", "--requests-at-once", "2"), ("--rate", "2", "--requests-at-once", "2")):
        code, _, err = run_cli(*ESTIMATE, *asked)
        assert code == 2
        assert "give one of --concurrency, --rate and --requests-at-once" in " ".join(err.split())
