"""A word that is almost a known one gets the question whether that is meant, wherever it may be written."""

from pathlib import Path

import pytest

from tests import factories
from tests.cli.terminal import run

NO_HUB = {"HF_ENDPOINT": "http://127.0.0.1:9"}
INIT = ("init", "x", "--project", "my-project")
LOAD = ("--input-tokens", "512", "--output-tokens", "256", "--concurrency", "1")
WORDS = (
    (("plan", "-s", "stagin"), "staging"),
    (("diff", "HEAD", "-s", "stagin"), "staging"),
    (("diff", "HEAD", "--fail-on", "dangr"), "danger"),
    (("shapes", "-s", "dev", "-w", "qwenn"), "qwen"),
    (("shapes", "--region", "us-centra1"), "us-central1"),
    (("shapes", "--accelerator", "nvidia-l44"), "nvidia-l4"),
    (("fit", "--model", "google/gema-7b"), "google/gemma-7b"),
    (("fit", "--model", "Qwen2.5-1.5B-Instuct"), "Qwen/Qwen2.5-1.5B-Instruct"),
    (("fit", "--model", "google/gemma-7b", "--gpu", "nvidia-l44"), "nvidia-l4"),
    (("fit", "--model", "google/gemma-7b", "--engine", "vlm"), "vllm"),
    (("estimate", "--model", "google/gema-7b", *LOAD), "google/gemma-7b"),
    (("advise", "--model", "google/gemma-7b", "--goal", "cost", "--region", "us-centra1"), "us-central1"),
    (("shapes", "--accelerator", "l4"), "nvidia-l4"),
    (("fit", "--model", "google/gemma-7b", "--gpu", "t4"), "nvidia-tesla-t4"),
    (("fit", "--model", "google/gemma-7b", "--quantization", "awqq"), "awq"),
    (("fit", "--model", "google/gemma-7b", "--dtype", "bf16"), "bfloat16"),
    (("advise", "--model", "google/gemma-7b", "--goal", "cost", "--region", "us-central"), "us-central1"),
    (("models", "--fits", "g2-standrd-8"), "g2-standard-8"),
    (("recipes", "tgi-7b-tokn"), "tgi-7b-token"),
    (("explain", "workloads.engine.maxModelLem"), "workloads.engine.maxModelLen"),
    (("contract", "rules", "--engine", "vlm"), "vllm"),
    (("verify", "--base-url", "http://127.0.0.1:9", "--engine", "vlm", "--engine-version", "0.26.0"), "vllm"),
    ((*INIT, "--model", "google/gema-7b", "--location", "us-central1-a", "--goal", "try"), "google/gemma-7b"),
    ((*INIT, "--model", "gemma-2b", "--location", "us-central1-a", "--goal", "try"), "google/gemma-2b"),
    ((*INIT, "--model", "google/gemma-7b", "--location", "us-centra1-a", "--goal", "try"), "us-central1-a"),
    ((*INIT, "--model", "google/gemma-7b", "--location", "us-central1-a", "--goal", "serv"), "serve"),
)


@pytest.mark.parametrize(("args", "meant"), WORDS, ids=[" ".join(args) for args, _ in WORDS])
def test_the_nearest_word_is_proposed(args: tuple[str, ...], meant: str) -> None:
    result = run(*args, **NO_HUB)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("error: ") == 1
    assert f"    fix: did you mean {meant}?" in result.stderr, result.stderr


def test_a_command_too() -> None:
    result = run("plam", "-s", "dev")
    assert result.exit_code == 2
    assert result.stderr == "error: there is no command 'plam'\n    fix: did you mean plan?\n"
    assert "did you mean" not in run("zzzzz").stderr


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Qwen/Qwen2.5-1.5B-Instuct", "Qwen/Qwen2.5-1.5B-Instruct"),
        ("meta/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("google/gemma-7b-instruct", "google/gemma-7b-it"),
    ],
)
def test_a_model_of_a_stack_too(tmp_path: Path, name: str, meant: str) -> None:
    file = factories.write_stack(tmp_path, factories.serving({"q": factories.workload(name)}))
    said = " ".join(run("plan", "-f", str(file)).stderr.split())
    assert f"did you mean {meant}?" in said


@pytest.mark.parametrize(("mode", "location"), [("autopilot", "us-central9"), ("existing", "us-central2-b")])
def test_a_region_that_no_table_has_is_told_of(tmp_path: Path, mode: str, location: str) -> None:
    cluster = {"mode": mode, "name": "llm", "location": location}
    serving = factories.serving({"q": factories.workload("Qwen/Qwen2.5-1.5B-Instruct")}, cluster=cluster)
    result = run("plan", "-f", str(factories.write_stack(tmp_path, serving)))
    said = " ".join(result.stderr.split())
    region = location.removesuffix("-b")
    assert result.exit_code == 0, said
    assert f"note, may fail: cluster: the table of Google Cloud's regions lacks {region}" in said
    assert "did you mean us-central1?" in said


@pytest.mark.parametrize(("location", "near"), [("us-east9", "us-east4"), ("us-south1-a", "us-central1-a")])
def test_nodes_are_refused_where_no_list_has_their_gpus_by_plan_check_and_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, near: str
) -> None:
    """Of nodes that GKE makes no key says that the list is behind: they are a warning."""
    work = factories.workload("Qwen/Qwen2.5-1.5B-Instruct")
    cluster = {"mode": "standard", "name": "llm", "location": location}
    pool = {"l4": {"machineType": "g2-standard-8"}}
    refused = str(factories.write_stack(tmp_path, factories.serving({"q": work}, cluster=cluster, pools=pool)))
    region = location.removesuffix("-a")
    for command in ("plan", "check"):
        result = run(command, "-f", refused)
        assert result.exit_code == 2 and f"no zone of {region}" in result.stderr
        assert near.removesuffix("-a") in result.stderr and "us-east5" not in result.stderr
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").touch()
    monkeypatch.chdir(tmp_path)
    begun = run("init", "t", "--project", "my-project", "--location", location, "--model", work["model"]["id"])
    assert begun.exit_code == 2 and near in begun.stderr
    unlisted = {"l4": {**pool["l4"], "allowUnlistedZones": True, "zones": [f"{region}-a"]}}
    allowed = factories.serving({"q": work}, cluster=cluster, pools=unlisted)
    assert run("plan", "-f", str(factories.write_stack(tmp_path, allowed))).exit_code == 0
    made = factories.serving({"q": work}, cluster={**cluster, "mode": "autopilot", "location": region})
    warned = run("plan", "-f", str(factories.write_stack(tmp_path, made)))
    said = " ".join(warned.stderr.split())
    assert warned.exit_code == 0 and f"Google's list has no nvidia-l4 in {region}" in said


def test_the_file_of_a_stack_is_told_its_name() -> None:
    assert "fix: give dev\n" in run("plan", "-s", "Pulumi.dev.yaml").stderr
    assert "has 120 characters" in run("plan", "-s", "a" * 120).stderr


def test_an_unknown_release_is_told_what_a_command_can_take() -> None:
    """No key of a stack file, where there is none."""
    assert "fix: choose one of them\n" in run("fit", "--model", "google/gemma-7b", "--engine-version", "0.99").stderr
    assert run("contract", "show", "nope").stderr.startswith("error: no engine has a release 'nope'\n    fix: ")


def test_what_is_like_nothing_known_is_told_what_is() -> None:
    said = run("shapes", "--region", "mars").stderr
    assert "Google Cloud has no region 'mars'" in said
    assert "fix: give one of" in said and "us-central1" in said
