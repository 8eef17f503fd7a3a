"""l4serve fit: verdict by exit status, documented JSON, a bar that needs neither colour nor width."""

import json
import urllib.request
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from l4serve.cli.app import app as cli
from l4serve.cli.commands.fit_command import fit
from l4serve.cli.subjects import hub
from tests.each_case import each

app = typer.Typer()
app.command()(fit)
KEYS = {
    "fits", "kvCacheTokens", "kvCacheGib", "weightsGib", "activationGib", "nonTorchGib", "cudaGraphGib",
    "maxModelLen", "maxConcurrency", "uncertaintyGib", "reasons", "remedies",
}  # fmt: skip
runner = CliRunner()


def run(*args: str, **env: str) -> tuple[int, str, str]:
    result = runner.invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1", **env})
    return result.exit_code, result.stdout, result.stderr


def as_json(*args: str) -> tuple[int, dict[str, object]]:
    code, out, _ = run(*args, "--json")
    return code, json.loads(out)


def test_a_model_that_fits_exits_with_zero() -> None:
    code, answer = as_json("--model", "Qwen/Qwen2.5-1.5B-Instruct", "--max-model-len", "8192")
    assert code == 0
    assert answer["fits"] is True
    assert set(answer) >= KEYS


def test_a_model_that_does_not_fit_exits_with_one_and_says_what_would_help() -> None:
    code, answer = as_json("--model", "meta-llama/Llama-3.1-8B-Instruct")
    assert code == 1
    assert answer["fits"] is False
    assert answer["reasons"]
    assert {"gpus": 2, "engine.tensorParallelSize": 2} in [r["edit"] for r in answer["remedies"]]  # type: ignore[attr-defined]


def test_memory_left_is_reported_and_nothing_left_is_zero() -> None:
    _, answer = as_json("--model", "meta-llama/Llama-3.1-8B-Instruct")
    _, huge = as_json("--model", "meta-llama/Llama-3.3-70B-Instruct")
    assert answer["kvCacheGib"] > 0  # type: ignore[operator]
    assert huge["kvCacheGib"] == 0


@each(
    [
        ("--model", "nobody/nothing-at-all"),
        ("--model", "no such thing"),
        ("--model", "google/gemma-7b", "--gpu", "nvidia-b9000"),
        ("--model", "google/gemma-7b", "--gpu-memory-gib", "inf"),
        ("--model", "google/gemma-7b", "--weights-gib", "inf"),
        ("--model", "google/gemma-7b", "--engine", "sglang"),
        ("--model", "google/gemma-7b", "--engine-version", "latest"),
        ("--model", "google/gemma-7b", "--quantization", "magic"),
        ("--model", "google/gemma-7b", "--kv-cache-dtype", "int1"),
        ("--model", "google/gemma-7b", "--gpu-memory-utilization", "1.5"),
        ("--model", "google/gemma-7b", "--dtype", "float7"),
        (),
    ],
    str,
)
def test_bad_input_exits_with_two_and_one_readable_message(args: tuple[str, ...]) -> None:
    code, out, err = run(*args, HF_ENDPOINT="http://127.0.0.1:9")
    assert code == 2
    assert not out
    assert "Traceback" not in err
    assert err.strip()


def test_flags_reach_the_model() -> None:
    base = as_json("--model", "google/gemma-7b", "--max-model-len", "2048")[1]
    changes = {
        ("--weights-gib", "10"): "weightsGib",
        ("--gpu-memory-gib", "30"): "kvCacheGib",
        ("--tensor-parallel", "2"): "weightsGib",
        ("--dtype", "float32"): "weightsGib",
        ("--quantization", "fp8"): "weightsGib",
        ("--kv-cache-dtype", "fp8"): "kvCacheTokens",
        ("--max-num-seqs", "8"): "cudaGraphGib",
        ("--max-num-batched-tokens", "8192"): "activationGib",
        ("--gpu-memory-utilization", "0.5"): "kvCacheGib",
        ("--enforce-eager",): "cudaGraphGib",
        ("--engine-version", "0.13.0"): "activationGib",
        ("--gpu", "nvidia-a100-80gb"): "kvCacheGib",
        ("--engine", "tgi"): "activationGib",
    }
    for flags, key in changes.items():
        changed = as_json("--model", "google/gemma-7b", "--max-model-len", "2048", *flags)[1]
        assert changed[key] != base[key], flags


def test_a_config_json_is_judged_by_path(tmp_path: Path) -> None:
    config = {
        "architectures": ["LlamaForCausalLM"], "hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 64, "intermediate_size": 8192, "vocab_size": 128256,
        "tie_word_embeddings": True, "max_position_embeddings": 4096, "torch_dtype": "bfloat16",
    }  # fmt: skip
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    for given in (path, tmp_path):
        code, answer = as_json("--model", str(given))
        assert code == 0
        assert answer["weightsGib"] == pytest.approx(2.30, abs=0.01)


@pytest.mark.parametrize("content", ["{", "[]", '{"architectures": ["LlamaForCausalLM"]}'])
def test_a_broken_config_json_is_bad_input(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(content)
    code, _, err = run("--model", str(path))
    assert code == 2
    assert "config.json" in err


@pytest.mark.parametrize("gpus", ["1", "4"])
def test_the_bar_is_readable_in_eighty_columns_without_colour(gpus: str) -> None:
    _, out, _ = run("--model", "meta-llama/Llama-3.1-8B", "--tensor-parallel", gpus, "--max-model-len", "4096")
    lines = out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert "\x1b[" not in out
    bars = [line for line in lines if line.startswith("GPU ")]
    assert len(bars) == int(gpus)
    assert all("W" in bar and "K" in bar for bar in bars)
    for word in ("weights", "KV cache", "activations", "uncertainty"):
        assert word in out


def test_a_model_too_large_for_the_card_still_has_a_bar() -> None:
    code, out, _ = run("--model", "meta-llama/Llama-3.3-70B-Instruct")
    assert code == 1
    assert "W" * 60 + ">" in out


def test_the_hub_is_asked_once_with_the_token_and_the_answer_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Reply:
        def __enter__(self) -> "Reply":
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def read(self, most: int) -> bytes:
            return json.dumps(
                {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 2,
                 "num_attention_heads": 4, "vocab_size": 1000, "intermediate_size": 128}
            ).encode()  # fmt: skip

    def answer(request: object, timeout: float) -> Reply:
        asked.append((request, timeout))
        return Reply()

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_mine")
    for _ in range(2):
        assert hub.model_shape("me/new-model").hidden_size == 64
    assert len(asked) == 1
    request, timeout = asked[0]
    assert request.unredirected_hdrs["Authorization"] == "Bearer hf_secret_of_mine"  # type: ignore[attr-defined]
    assert "hf_secret_of_mine" not in request.full_url  # type: ignore[attr-defined]
    assert timeout <= 10
    kept = list(tmp_path.rglob("*.json"))
    assert len(kept) == 1
    assert "hf_secret" not in kept[0].read_text()


def test_offline_is_said_clearly(tmp_path: Path) -> None:
    code, _, err = run(
        "--model", "me/unknown-model", HF_ENDPOINT="http://127.0.0.1:9", XDG_CACHE_HOME=str(tmp_path), HF_TOKEN="hf_x"
    )
    assert code == 2
    assert "cannot be reached" in err
    assert "config.json" in err
    assert "hf_x" not in err
    assert not list(tmp_path.rglob("*.json"))


def test_warnings_and_what_is_not_judged_are_said_in_both_forms() -> None:
    asked = ("--model", "google/gemma-2b", "--engine", "tgi", "--gpu", "nvidia-rtx-pro-6000")
    code, out, _ = run(*asked)
    assert code == 0
    assert "tgi-card-not-judged" in out.replace("\n", "")
    _, answer = as_json(*asked)
    assert answer["notes"] == []
    assert "tgi-card-not-judged" in {verdict["ruleId"] for verdict in answer["verdicts"]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("args", [("fit", "--model"), ("plan", "-f")])
def test_a_name_longer_than_the_system_takes_is_bad_input(args: tuple[str, str]) -> None:
    result = runner.invoke(cli, [*args, "a" * 4000])
    assert result.exit_code == 2
    assert "bug" not in result.output


@pytest.mark.parametrize("address", ["http://[::1", "http://", "file:///etc", "//x", "\n"])
def test_an_address_of_the_hub_that_is_none_is_told(address: str, tmp_path: Path) -> None:
    code, _, err = run("--model", "me/unknown-model", HF_ENDPOINT=address, XDG_CACHE_HOME=str(tmp_path))
    assert code == 2
    assert "HF_ENDPOINT holds no web address" in err
