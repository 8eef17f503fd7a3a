"""Every candidate of a search, and an estimate beside it, answer the same question: one load, with one spread."""

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.advising.candidates import pod_choices
from l4serve.advising.homes import homes_of
from l4serve.advising.known_pods import Pods
from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.cli.app import app
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.load import Load, spread_as_asked
from l4serve.planning.performance.speed import Speed
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from l4serve.planning.workload.judgement.judging import Judgement, judge
from l4serve.planning.workload.judgement.speed_question import subject_speed
from l4serve.planning.workload.judgement.subject import Subject

CHAT = Load(input_tokens=256, output_tokens=128, clients=400)
MODEL = "Qwen/Qwen2.5-1.5B-Instruct"


def told(*args: str) -> dict[str, Any]:
    shown = CliRunner().invoke(app, [*args, "--json"])
    assert shown.exit_code == 0, shown.output
    answer: dict[str, Any] = json.loads(shown.stdout)
    return answer


def test_a_spread_hangs_on_the_load_and_on_no_engine() -> None:
    """An L4's 256 places once met lengths that vary where an H100's 1,024 met equal ones."""
    assert [spread_as_asked(replace(CHAT, clients=n), None).crowd for n in (1, 256, 384, 512, 9000)] == [
        0,
        0,
        0.5,
        1,
        1,
    ]
    assert spread_as_asked(replace(CHAT, clients=9000), 0.3).spread == (0.3, 0.3, 1.0)
    assert spread_as_asked(replace(CHAT, clients=None, rate=9000.0), None).spread == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("sigma", [None, 0.0, 0.5])
def test_every_candidate_of_a_search_is_asked_for_lengths_of_one_spread(
    sigma: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[tuple[float, float, float]] = set()
    assumed: set[bool] = set()

    def speed(subject: Subject, judgement: Judgement, load: Load) -> Speed:
        found = subject_speed(subject, judgement, load)
        asked.add(load.spread)
        if found.judged:
            assumed.add(any("crowd" in said for said in found.assumed))
        return found

    monkeypatch.setattr("l4serve.advising.known_pods.subject_speed", speed)
    load = spread_as_asked(CHAT, sigma)
    for card in ("nvidia-l4", "nvidia-h100-80gb"):
        question = Question(model=find_model(MODEL), engine="vllm", engine_version=None, accelerator=card, gpus=1)
        pods = list(pod_choices(subject_of(question), (1,)))
        search(pods, homes_of(card, "on-demand", "us-central1"), Wish(goal="throughput", load=load))
    assert asked == {load.spread}
    assert assumed == {sigma is None}


@pytest.mark.parametrize(
    ("card", "spread"),
    [
        ("nvidia-l4", ()),
        ("nvidia-h100-80gb", ()),
        ("nvidia-l4", ("--length-spread", "0")),
        ("nvidia-h100-80gb", ("--length-spread", "0.4")),
    ],
)
def test_an_estimate_and_an_advice_ask_about_the_same_load(card: str, spread: tuple[str, ...]) -> None:
    load = ("--model", MODEL, "--gpu", card, "--input-tokens", "256", "--output-tokens", "128", "--concurrency", "400")
    estimate = told("estimate", *load, *spread)
    advice = told("advise", *load, *spread, "--goal", "throughput", "--engine", "vllm")
    assert estimate["load"] == advice["load"]
    first = next(each for each in advice["front"] if each["replicas"] == 1 and not each["prequantised"])
    settings = {
        "--quantization": first["quantization"],
        "--kv-cache-dtype": first["kvCacheDtype"],
        "--max-num-seqs": first["maxNumSeqs"],
        "--max-num-batched-tokens": first["maxNumBatchedTokens"],
        "--tensor-parallel": first["tensorParallelSize"],
    }
    written = [each for key, value in settings.items() if value for each in (key, str(value))]
    again = told("estimate", *load, *spread, *written)
    for key in ("ttftMs", "itlMs", "outputTokensPerSecond", "assumed"):
        assert first["estimate"][key] == again[key]


def test_the_answer_says_how_the_lengths_vary() -> None:
    load = ["--model", MODEL, "--input-tokens", "256", "--output-tokens", "128", "--concurrency", "400"]
    for command in (["estimate"], ["advise", "--goal", "throughput", "--engine", "vllm"]):
        crowd = CliRunner().invoke(app, [*command, *load]).stdout
        assert "56 % of the lengths spread by sigma 1 of prompts and 0.8 of answers" in " ".join(crowd.split())
        equal = CliRunner().invoke(app, [*command, *load, "--length-spread", "0"]).stdout
        assert "400 at a time, each asking anew, equal lengths" in " ".join(equal.split())


def test_a_context_that_cuts_the_long_requests_answers_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = find_model(MODEL)
    question = Question(model=shape, engine="vllm", engine_version=None, accelerator="nvidia-l4", gpus=1)
    pod, *_ = pod_choices(subject_of(question), (1,))
    whole = judge(pod.subject, remedied=False)
    assert whole.fit is not None
    short = replace(whole.fit, fits=False, max_model_len=8192, largest_max_model_len=4096)
    answers = iter([replace(whole, fit=short), replace(whole, fit=replace(whole.fit, max_model_len=4096))] * 2)
    monkeypatch.setattr("l4serve.advising.known_pods.judge", lambda *_, **__: next(answers))
    load = spread_as_asked(Load(input_tokens=512, output_tokens=256, clients=600), None)
    _, _, reason = Pods(Wish(goal="throughput", load=load), remember=False).settle(pod)
    assert "4096 tokens is shorter than the longest request of 8192" in str(reason)
    equal = spread_as_asked(load, 0.0)
    assert Pods(Wish(goal="throughput", load=equal), remember=False).settle(pod)[2] is None
