"""l4serve advise: winner, front and rejected as JSON, as text and as a page."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from l4serve.advising.homes import homes_of
from l4serve.cli.commands.advise_command import advise
from l4serve.cli.commands.advise_space import Space
from l4serve.cli.commands.estimate_command import estimate
from l4serve.config.keys.node_pool import Provisioning
from l4serve.planning.machines.gpus import all_gpus

app = typer.Typer()
app.command()(advise)
estimates = typer.Typer()
estimates.command()(estimate)
GEMMA = ("--model", "google/gemma-7b", "--engine", "vllm", "--input-tokens", "256", "--output-tokens", "128")


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.slow
def test_the_json_has_a_winner_a_front_and_a_reason_for_every_other() -> None:
    code, out, _ = run(*GEMMA, "--goal", "throughput", "--concurrency", "64", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["winner"]["reasons"]
    assert {"edit", "machineType", "replicas", "quality", "estimate"} <= set(answer["winner"])
    assert any(entry["edit"] == answer["winner"]["edit"] for entry in answer["front"])
    assert len(answer["rejected"]) == answer["tried"] - 1
    assert all(entry["reason"] for entry in answer["rejected"])


@pytest.mark.slow
def test_latency_asks_about_one_client_unless_told() -> None:
    _, out, _ = run(*GEMMA, "--goal", "latency", "--json")
    assert json.loads(out)["load"]["concurrency"] == 1


OPTIONS = {
    "engine.quantization": "--quantization",
    "engine.kvCacheDtype": "--kv-cache-dtype",
    "engine.maxModelLen": "--max-model-len",
    "engine.maxNumSeqs": "--max-num-seqs",
    "engine.maxNumBatchedTokens": "--max-num-batched-tokens",
    "engine.tensorParallelSize": "--tensor-parallel",
    "model.id": "--model",
}


@pytest.mark.slow
@pytest.mark.parametrize("goal", ["latency", "cost"])
def test_one_replica_of_the_winner_is_what_estimate_says_of_its_part_of_the_rate(goal: str) -> None:
    lengths = ("--input-tokens", "256", "--output-tokens", "128")
    asked = ("--model", "Qwen/Qwen2.5-7B-Instruct", "--engine", "vllm", "--rps", "20", "--ttft-ms", "400")
    code, out, _ = run(*asked, *lengths, "--percentile", "95", "--goal", goal, "--quality", "8bit", "--json")
    assert code == 0
    answer = json.loads(out)
    winner, sizing = answer["winner"], answer["sizing"]
    said = {"--model": "Qwen/Qwen2.5-7B-Instruct"}
    said |= {OPTIONS[key]: str(value) for key, value in winner["edit"].items() if key in OPTIONS}

    def estimated(replicas: int) -> Any:
        words = [word for pair in said.items() for word in pair]
        part = ("--rate", str(20 / replicas), "--percentile", "95", "--json")
        return json.loads(CliRunner().invoke(estimates, [*words, *lengths, *part]).stdout)

    one = estimated(winner["replicas"])
    assert [one[key] for key in ("ttftMs", "itlMs")] == [winner["estimate"][key] for key in ("ttftMs", "itlMs")]
    assert one["ttftMs"] == sizing["ttftMs"]
    assert one["ttftAtPercentileMs"] == sizing["ttftAtPercentileMs"] <= 400
    if goal == "cost" and winner["replicas"] > 1:
        fewer = estimated(winner["replicas"] - 1)
        assert fewer["ttftAtPercentileMs"] is None or fewer["ttftAtPercentileMs"] > 400


def test_a_wish_that_nothing_keeps_exits_with_one() -> None:
    code, out, _ = run(*GEMMA, "--goal", "cost", "--budget-usd-hour", "0.01")
    assert code == 1
    assert "none keeps the wish" in out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--gpu", "nvidia-a10g"), "no machine with it"),
        (("--gpu", "nvidia-h200-141gb"), "give --provisioning spot"),
    ],
    ids=str,
)
def test_a_card_that_nobody_offers_has_its_reason(args: tuple[str, ...], said: str) -> None:
    code, out, _ = run(*GEMMA, "--goal", "cost", *args, "--json")
    answer = json.loads(out)
    assert code == 1
    assert [entry["gpu"] for entry in answer["rejected"]] == [args[1]]
    assert said in answer["rejected"][0]["reason"]
    code, out, _ = run(*GEMMA, "--goal", "cost", *args)
    assert code == 1
    assert said in " ".join(out.split())


@pytest.mark.parametrize("accelerator", all_gpus())
def test_every_known_card_has_machines_or_a_reason(accelerator: str) -> None:
    for provisioning in get_args(Provisioning):
        space = Space("google/gemma-7b", (accelerator,), None, ("vllm",), None, provisioning, "us-central1")
        assert bool(space.unhoused()) != bool(homes_of(accelerator, provisioning, "us-central1"))


def test_fewer_cards_than_the_smallest_machine_has_are_tried() -> None:
    """An H200 comes eight to a machine, and 28 heads do not divide by eight."""
    card = ("--gpu", "nvidia-h200-141gb", "--provisioning", "spot", "--engine", "vllm")
    code, out, _ = run("--model", "Qwen/Qwen2.5-7B-Instruct", "--goal", "cost", *card, "--json")
    assert code == 0
    winner = json.loads(out)["winner"]
    assert winner["machineType"] == "a3-ultragpu-8g"
    assert winner["tensorParallelSize"] == 1


@pytest.mark.slow
def test_the_text_names_the_winner_and_why_others_lost() -> None:
    code, out, _ = run(*GEMMA, "--goal", "cost", "--quality", "8bit")
    assert code == 0
    assert "winner: " in out
    assert "rejected, " in out


@pytest.mark.slow
def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = tmp_path / "advice.html"
    run(*GEMMA, "--goal", "cost", "--html", str(page))
    text = page.read_text("utf-8")
    assert "<h2>Winner</h2>" in text
    assert "http" not in text


@pytest.mark.parametrize(
    "args",
    [("--rps", "1", "--concurrency", "1"), ("--gpu", "nvidia-b9000"), ("--engine", "no-such")],
    ids=str,
)
def test_bad_input_exits_with_two(args: tuple[str, ...]) -> None:
    code, out, err = run(*GEMMA[:2], "--goal", "cost", *args)
    assert code == 2, out
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-s", "dev", "--rps", "3"), "takes no --rps"),
        (("-s", "dev", "--html", "page.html"), "takes no --html"),
        (("-s", "dev", "--goal", "cost", "--provisioning", "spot"), "leave out --provisioning"),
        (("-s", "dev", "--goal", "cost", "--gpu", "nvidia-l4"), "leave out --gpu"),
        (("-s", "dev", "-f", "Pulumi.prod.yaml", "--goal", "cost"), "one stack"),
        (("--write", "dev", "-f", "Pulumi.prod.yaml", "--goal", "cost"), "one stack"),
        (("-s", "dev", "--write", "prod", "--goal", "cost"), "one stack"),
        (("-s", "dev", "--write", "dev"), "takes no --write"),
        (("-s", "dev", "--model", "google/gemma-7b"), "takes no --model"),
        ((*GEMMA[:2], "--goal", "cost", "--percentile", "99"), "--percentile is of a rate"),
        ((*GEMMA[:2], "--goal", "cost", "--arrival-cv2", "0"), "--arrival-cv2 is of a rate"),
        ((*GEMMA[:2], "--goal", "cost", "--workload", "w"), "--workload is of a stack"),
        ((*GEMMA[:2], "--goal", "cost", "--engine-version", "0.10.0"), "name it with --engine"),
        (("--goal", "cost"), "--model"),
        ((), "--goal"),
    ],
    ids=str,
)
def test_what_would_not_be_heard_is_refused(args: tuple[str, ...], said: str) -> None:
    code, _, err = run(*args)
    assert code == 2
    assert said in " ".join(err.split())


def test_where_none_keeps_a_promise_the_text_says_how_near_the_nearest_comes() -> None:
    code, out, _ = run(*GEMMA, "--goal", "cost", "--itl-ms", "2", "--quality", "full")
    assert code == 1
    said = " ".join(out.split())
    assert "none keeps the wish" in said
    assert "the nearest: itl of" in said
    assert said.count("is above 2") == 1


def test_a_price_lies_within_its_bound_where_a_rate_is_all_that_is_served() -> None:
    """It was made of tokens a second in five digits, and the bound began above it."""
    asked = (
        "--goal",
        "latency",
        "--input-tokens",
        "16",
        "--output-tokens",
        "64",
        "--rps",
        "0.2",
        "--length-spread",
        "2",
    )
    _, out, _ = run("--model", "microsoft/Phi-3-mini-4k-instruct", "--gpu", "nvidia-h100-80gb", *asked, "--json")
    for each in json.loads(out)["front"]:
        low, price, high = (part["usdPerMillionOutputTokens"] for part in (
            each["estimate"]["low"], each["estimate"], each["estimate"]["high"]))  # fmt: skip
        assert low <= price <= high
