"""l4serve estimate: the documented JSON, its bounds, what it does not judge, and bad input."""

import json

import pytest
import typer
from typer.testing import CliRunner

from l4serve.cli.commands.estimate_command import estimate

app = typer.Typer()
app.command()(estimate)
FIGURES = {
    "ttftMs", "itlMs", "outputTokensPerSecond", "requestsPerSecond", "endToEndMs", "runningRequests",
    "usdPerMillionOutputTokens",
}  # fmt: skip
LOAD = ("--input-tokens", "512", "--output-tokens", "128")
SMALL = ("--model", "Qwen/Qwen2.5-7B-Instruct", "--max-model-len", "8192")


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})
    return result.exit_code, result.stdout, result.stderr


def as_json(*args: str) -> tuple[int, dict[str, object]]:
    code, out, _ = run(*args, "--json")
    return code, json.loads(out)


def test_the_documented_keys_are_there_with_bounds_of_the_same_keys() -> None:
    code, answer = as_json(*SMALL, *LOAD, "--concurrency", "4", "--quantization", "fp8")
    assert code == 0
    assert set(answer) >= FIGURES | {"limitedBy", "low", "high", "notJudged"}
    assert set(answer["low"]) == set(answer["high"]) == FIGURES  # type: ignore[call-overload]
    assert answer["notJudged"] == []
    for key in FIGURES:
        assert answer["low"][key] <= answer[key] <= answer["high"][key]  # type: ignore[index]


def test_a_measured_point_is_met() -> None:
    """Qwen2.5 7B in FP8 at one user: 34.13 ms a token (polyserve results-l4 @1d898904)."""
    _, answer = as_json(*SMALL, *LOAD, "--concurrency", "1", "--quantization", "fp8", "--engine-version", "0.11.0")
    assert answer["itlMs"] == pytest.approx(34.13, rel=0.05)


def test_a_method_that_reads_a_quantised_checkpoint_stands_for_one() -> None:
    code, answer = as_json(*SMALL, *LOAD, "--concurrency", "1", "--quantization", "gptq")
    assert code == 0
    assert answer["itlMs"] == pytest.approx(19.38, rel=0.05)


def test_a_release_before_the_known_ones_is_judged_by_the_oldest() -> None:
    code, answer = as_json(*SMALL, *LOAD, "--concurrency", "1", "--engine-version", "0.6.2", "--quantization", "fp8")
    assert code == 0
    assert answer["itlMs"]


NAMES = (
    "bf16 float16 auto gptq-int4 awq-int4 w4a16 gptq-int8 w8a16 w8a8-fp8 fp8-dynamic fp8_dynamic fp8-online "
    "w8a8-int8 int8"
)


@pytest.mark.parametrize("weights", NAMES.split())
def test_formats_go_by_the_names_that_measurements_give_them(weights: str) -> None:
    code, answer = as_json(*SMALL, *LOAD, "--concurrency", "1", "--quantization", weights, "--kv-cache-dtype", "bf16")
    assert code == 0
    assert answer["itlMs"]


@pytest.mark.parametrize(
    ("weights", "said"), [("nf4", "nobody measured bitsandbytes"), ("nvfp4", "quantised beforehand")]
)
def test_a_format_that_no_point_tells_of_has_its_reason(weights: str, said: str) -> None:
    code, answer = as_json(*SMALL, *LOAD, "--concurrency", "1", "--quantization", weights)
    assert code == 1
    assert said in str(answer["notJudged"])


def test_eight_bits_that_marlin_unpacks_are_twice_as_many_as_four() -> None:
    tokens = [as_json(*SMALL, *LOAD, "--concurrency", "1", "--quantization", f"gptq-int{bits}")[1] for bits in (4, 8)]
    four, eight = (answer["itlMs"] for answer in tokens)
    assert 1.3 * four < eight < 2 * four  # type: ignore[operator]


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8", ("fp8", "w8a8", "w8a8-fp8", "fp8-dynamic")),
        ("RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16", ("w4a16", "int4", "gptq-int4")),
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", ("awq-int4", "awq-int4 (marlin)", "int4")),
    ],
)
def test_a_quantised_checkpoint_goes_by_the_names_that_reports_give_it(model: str, named: tuple[str, ...]) -> None:
    load = ("--model", model, *LOAD, "--concurrency", "1", "--engine-version", "0.11.0")
    _, own = as_json(*load)
    for name in named:
        code, answer = as_json(*load, "--quantization", name)
        assert code == 0
        assert answer["itlMs"] == own["itlMs"]
        assert any(name in said for said in answer["assumed"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8", "w4a16"),
        ("neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8", "w8a8-int8"),
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", "w8a8"),
    ],
)
def test_a_name_that_says_something_else_of_a_checkpoint_is_refused(model: str, name: str) -> None:
    code, out, err = run("--model", model, *LOAD, "--concurrency", "1", "--quantization", name)
    assert (code, out) == (2, "")
    assert f"which are not {name}" in err
    assert "leave --quantization out" in err


def test_less_memory_holds_fewer_requests() -> None:
    load = ("--input-tokens", "1024", "--output-tokens", "128", "--concurrency", "64")
    _, whole = as_json(*SMALL, *load)
    _, part = as_json(*SMALL, *load, "--gpu-memory-gib", "18.5")
    assert part["runningRequests"] < whole["runningRequests"]  # type: ignore[operator]


def test_a_context_that_does_not_fit_is_cut_and_said() -> None:
    code, answer = as_json("--model", "google/gemma-7b", *LOAD, "--concurrency", "1")
    assert code == 0
    assert any("does not fit" in reason for reason in answer["assumed"])  # type: ignore[attr-defined]
    assert answer["notJudged"] == []


def test_a_context_that_is_cut_fits_where_it_ends_chunked_prefill_too() -> None:
    """Up to 32,768 tokens vLLM 0.8 holds a whole prompt in each step, so the context that was said to fit did not."""
    llama = ("--model", "meta-llama/Llama-3.1-8B-Instruct", "--engine-version", "0.6.3")
    code, answer = as_json(*llama, *LOAD, "--concurrency", "1")
    assert code == 0
    assert answer["notJudged"] == []
    assert answer["itlMs"] is not None


def test_a_start_that_is_uncertain_is_assumed() -> None:
    code, answer = as_json(*SMALL, *LOAD, "--concurrency", "1", "--gpu-memory-utilization", "0.99")
    assert code == 0
    assert any("it starts, which is uncertain" in said for said in answer["assumed"])  # type: ignore[attr-defined]
    assert answer["notJudged"] == []


@pytest.mark.parametrize(
    ("args", "field"),
    [
        (("--quantization", "eetq"), "engine.quantization"),
        (("--attention-backend", "BOGUS"), "engine.attentionBackend"),
        (("--tensor-parallel", "8"), "engine.tensorParallelSize"),
        (("--tensor-parallel", "3"), "engine.tensorParallelSize"),
    ],
    ids=str,
)
def test_what_the_engine_refuses_has_a_reason_and_no_figures(args: tuple[str, ...], field: str) -> None:
    code, answer = as_json(*SMALL, *LOAD, "--concurrency", "4", *args)
    assert code == 1
    assert field in answer["refused"][0]  # type: ignore[index]
    assert f"refused: {field}" in answer["notJudged"][0]  # type: ignore[index]
    assert all(answer[key] is None for key in FIGURES)
    shown, text, _ = run(*SMALL, *LOAD, "--concurrency", "4", *args)
    assert shown == 1
    assert field in text
    assert "tokens/s" not in text


def test_a_model_that_does_not_fit_is_not_judged() -> None:
    code, answer = as_json("--model", "meta-llama/Llama-3.3-70B-Instruct", *LOAD, "--concurrency", "1")
    assert code == 1
    assert answer["itlMs"] is None
    assert answer["notJudged"]


def test_an_engine_that_nobody_measured_is_not_judged() -> None:
    code, answer = as_json(*SMALL[:2], *LOAD, "--concurrency", "1", "--engine", "tgi")
    assert code == 1
    assert "TGI" in answer["notJudged"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--concurrency", "1", "--rate", "1"),
        ("--concurrency", "0"),
        ("--concurrency", "1", "--percentile", "95"),
        ("--concurrency", "1", "--arrival-cv2", "4"),
        ("--concurrency", "1", "--engine-version", "soon"),
        ("--concurrency", "1", "--gpu", "nvidia-b9000"),
        ("--concurrency", "1", "--quantization", "no-such"),
    ],
    ids=str,
)
def test_bad_input_exits_with_two_and_no_trace(args: tuple[str, ...]) -> None:
    code, out, err = run(*SMALL, *LOAD, *args)
    assert code == 2, out
    assert "Traceback" not in out + err


def test_a_percentile_of_requests_that_vary_more_waits_longer() -> None:
    asked = ("--input-tokens", "256", "--output-tokens", "128", "--rate", "6", "--percentile", "95")
    (_, calm), (_, wild) = (as_json(*SMALL, *asked, *more) for more in ((), ("--arrival-cv2", "6")))
    assert calm["ttftMs"] < calm["ttftAtPercentileMs"] < wild["ttftAtPercentileMs"]  # type: ignore[operator]
    code, out, _ = run(*SMALL, *asked)
    assert code == 0
    assert "95 % get their first token within" in out


def test_the_text_says_who_asks_and_what_limits() -> None:
    code, out, _ = run(*SMALL, *LOAD, "--rate", "0.5")
    assert code == 0
    assert "0.5 requests a second" in out
    assert "limited by" in out


def test_a_model_whose_memory_nobody_judges_has_a_reason_and_no_figures() -> None:
    model = ("--model", "tiiuae/Falcon-H1-7B-Instruct", "--engine-version", "0.10.0")
    code, answer = as_json(*model, *LOAD, "--concurrency", "2")
    assert code == 1
    assert answer["ttftMs"] is None
    assert "memory is not judged" in str(answer["notJudged"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--engine-version", "0.6.2"), "vllm 0.6.2 is judged by the contract of 0.8.0"),
        (("--engine-version", "99.0"), "vllm 99.0 is judged by the contract of"),
        (("--quantization", "awq"), "a checkpoint in awq"),
    ],
)
def test_what_stands_for_what_was_named_is_assumed(args: tuple[str, ...], said: str) -> None:
    _, answer = as_json(*SMALL, *LOAD, "--concurrency", "1", *args)
    assert any(str(each).startswith(said) for each in answer["assumed"])  # type: ignore[attr-defined]


def test_an_unknown_card_is_told_those_that_are_sold() -> None:
    code, _, err = run(*SMALL, *LOAD, "--concurrency", "1", "--gpu", "nvidia-b200")
    said = " ".join(err.split())
    assert code == 2
    assert "give one of nvidia-a100-80gb" in said
    assert "nvidia-a10," not in said
    several = "did you mean nvidia-h100-80gb or nvidia-h100-mega-80gb?"
    assert several in " ".join(run(*SMALL, *LOAD, "--concurrency", "1", "--gpu", "H100")[2].split())
    assert "did you mean nvidia-h100-80gb?" in run(*SMALL, *LOAD, "--concurrency", "1", "--gpu", "nvidia-h100-80")[2]
