"""`l4serve init` writes a stack file that plans, or nothing."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from l4serve.cli.subjects.stack_options import load_plan
from tests.cli.terminal import run
from tests.editor import marked


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(**changed: str) -> list[str]:
    wish = {"project": "my-project", "location": "us-central1-a", "model": "Qwen/Qwen2.5-7B-Instruct", "goal": "try"}
    return ["init", "first", *(word for key, value in (wish | changed).items() for word in (f"--{key}", value))]


@pytest.mark.parametrize("goal", ["try", "serve"])
@pytest.mark.parametrize(
    "model", ["Qwen/Qwen2.5-1.5B-Instruct", "google/gemma-7b", "Qwen/Qwen2.5-32B-Instruct", "openai/gpt-oss-20b"]
)
def test_what_it_writes_plans(project: Path, model: str, goal: str) -> None:
    result = run(*init(model=model, goal=goal, location="us-central1"))
    assert result.exit_code == 0, result.output
    plan = load_plan("first", None)
    (workload,) = plan.workloads
    assert workload.model.id == model
    assert workload.judgement.fit and workload.judgement.fit.fits
    assert (plan.node_pools[0].supply.provisioning == "spot") == (goal == "try")
    assert bool(workload.scale.autoscaling) == (goal == "serve")
    text = (project / "Pulumi.first.yaml").read_text("utf-8")
    first, *_ = text.splitlines()
    schema = Path(first.removeprefix("# yaml-language-server: $schema="))
    assert schema.is_file()
    assert marked(yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    ("goal", "model", "machine", "gpus"),
    [
        ("latency", "google/gemma-7b", "g2-standard-4", 1),
        ("cost", "Qwen/Qwen2.5-32B-Instruct", "g2-standard-24", 2),
    ],
)
def test_a_goal_of_the_advisor_decides_the_machine_and_the_settings(
    project: Path, goal: str, model: str, machine: str, gpus: int
) -> None:
    result = run(*init(model=model, goal=goal))
    assert result.exit_code == 0, result.output
    plan = load_plan("first", None)
    (workload,), (pool,) = plan.workloads, plan.node_pools
    assert (pool.machine_type, pool.gpus) == (machine, gpus)
    assert workload.scale.autoscaling and pool.supply.provisioning == "on-demand"
    asked = run("advise", "-s", "first", "--goal", goal, "--json")
    assert json.loads(asked.stdout)["winner"]["edit"] == {}, "nothing is better on that machine"


@pytest.mark.parametrize("goal", ["latency", "throughput", "cost"])
def test_a_goal_without_an_estimate_is_refused_with_one_that_needs_none(project: Path, goal: str) -> None:
    result = run(*init(model="BAAI/bge-m3", goal=goal))
    assert result.exit_code == 2
    assert "error: --goal: no configuration is known to be best" in result.stderr
    assert "fix: take the goal serve" in result.stderr
    assert list(project.glob("Pulumi.*.yaml")) == []


def test_a_goal_tells_what_it_took_in_place_of_what_was_asked(project: Path) -> None:
    said = run(*init(model="meta-llama/Llama-3.1-8B-Instruct", goal="latency")).stdout
    served = load_plan("first", None).workloads[0]
    assert served.model.id == "RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16"
    assert f"{served.model.id}: 32,768 tokens" in said
    assert f"model.id: {served.model.id} in place of meta-llama/Llama-3.1-8B-Instruct" in said
    assert "engine.kvCacheDtype: fp8" in said
    assert "answers may be worse: weights or cache have 4 bits" in said
    (project / "Pulumi.first.yaml").unlink()
    said = run(*init(model="meta-llama/Llama-3.1-8B-Instruct", goal="serve")).stdout
    assert "for the goal" not in said and "bits" not in said


@pytest.mark.parametrize(
    ("location", "meant"),
    [
        ("us-centrl1", "did you mean us-central1?"),
        ("us-central9", "did you mean us-central1?"),
        ("us-central1-f", "give one of us-central1-a, us-central1-b, us-central1-c"),
        ("africa-south1-a", "give one of europe-west1-b, europe-west2-a"),
        ("europe-north1", "give one of europe-west1, europe-west2"),
    ],
)
def test_a_location_without_the_card_is_refused_when_it_is_answered(
    project: Path, monkeypatch: pytest.MonkeyPatch, location: str, meant: str
) -> None:
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("l4serve.cli.commands.init_command.sys", terminal)
    answers = iter([location, "us-central1-a"])
    monkeypatch.setattr("l4serve.cli.commands.init_command.ask", lambda *_: next(answers))
    rest = ("--model", "Qwen/Qwen2.5-1.5B-Instruct", "--goal", "try")
    result = run("init", "first", "--project", "my-project", *rest)
    assert result.exit_code == 0, result.output
    assert list(answers) == []
    assert "error: --location: " in result.stderr and meant in result.stderr


def test_the_name_that_is_proposed_is_free(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "Pulumi.dev.yaml").touch()
    (project / "Pulumi.dev1.yaml").touch()
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("l4serve.cli.commands.init_command.sys", terminal)
    monkeypatch.setattr("l4serve.cli.commands.init_command.ask", lambda question, usual, _: usual)
    result = run("init", *init()[2:])
    assert result.exit_code == 0, result.output
    assert (project / "Pulumi.dev2.yaml").is_file()


def test_a_goal_is_no_way_out_of_what_every_goal_refuses(project: Path) -> None:
    said = run(*init(model="zai-org/GLM-4.6", goal="cost")).stderr
    assert "take the goal serve" not in said
    assert run(*init(model="zai-org/GLM-4.6", goal="serve")).stderr == said


def test_a_wrong_answer_is_asked_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["first", "P", "my-project", "mars", "us-central1-a", "", "fast", "try"])
    usual = {"Model (l4serve models lists them)": "Qwen/Qwen2.5-7B-Instruct"}
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("l4serve.cli.commands.init_command.sys", terminal)
    monkeypatch.setattr("l4serve.cli.commands.init_command.ask", lambda question, *_: next(answers) or usual[question])
    result = run("init")
    assert result.exit_code == 0, result.output
    refused = [line.split(": ")[1] for line in result.stderr.splitlines() if line.startswith("error")]
    assert refused == ["--project", "--location", "'fast' is not a goal"]
    assert list(answers) == []
    assert load_plan("first", None).workloads[0].model.id == "Qwen/Qwen2.5-7B-Instruct"


def test_it_takes_the_fewest_gpus(project: Path) -> None:
    run(*init(model="google/gemma-7b"))
    assert load_plan("first", None).node_pools[0].gpus == 1


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"model": "Qwen/Qwen2.5-7B-Instuct"}, "did you mean Qwen/Qwen2.5-7B-Instruct?"),
        ({"goal": "fast"}, "give one of try, serve, latency, throughput, cost"),
        ({"project": "P"}, "error: --project: 'P' is not the id"),
        ({"location": "mars-west1-a"}, "error: --location: "),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_wrong_wish_writes_nothing(project: Path, changed: dict[str, str], text: str) -> None:
    result = run(*init(**changed))
    assert result.exit_code == 2, result.output
    assert text in result.stderr
    assert list(project.glob("Pulumi.*.yaml")) == []


def test_a_model_that_no_card_here_holds_is_told_of_by_its_option(project: Path) -> None:
    result = run(*init(model="meta-llama/Llama-3.1-405B"))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --model: the model does not fit its GPU")


def test_a_stack_name_that_no_cluster_can_have_is_written_as_one(project: Path) -> None:
    assert run("init", "My_Dev", *init()[2:]).exit_code == 0
    document = yaml.safe_load((project / "Pulumi.My_Dev.yaml").read_text("utf-8"))
    assert document["config"]["gke-llm-serving:serving"]["cluster"]["name"] == "llm-my-dev"


def test_a_missing_answer_is_named_where_nobody_can_be_asked(project: Path) -> None:
    result = run("init", "first", "--project", "my-project")
    assert result.exit_code == 2
    assert "--location is missing" in result.stderr


def test_all_that_is_wrong_or_missing_is_told_at_once(project: Path) -> None:
    result = run("init", "first", "--project", "P", "--model", "nobody/knows-this-one")
    assert result.exit_code == 2
    for told in ("--project: 'P'", "--location is missing", "nobody/knows-this-one is not in", "--goal is missing"):
        assert told in result.stderr
    assert "NAME" not in result.stderr


PLACED = "model.source: {kind: bucket, uri: gs://models/qwen}"


@pytest.mark.parametrize(
    ("model", "fix"),
    [
        ("gs://models/qwen", PLACED),
        ("https://huggingface.co/Qwen/Qwen3-8B", "give --model Qwen/Qwen3-8B"),
        ("https://huggingface.co/Qwen/Qwen3-8B/tree/main", "give --model Qwen/Qwen3-8B"),
        ("hf.co/nobody/knows-this-one", "give --model nobody/knows-this-one"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        init()[:-4],
        ["fit"],
        ["advise", "--goal", "cost"],
        ["estimate", "--input-tokens", "100", "--output-tokens", "100", "--concurrency", "1"],
    ],
    ids=lambda words: str(words[0]),
)
def test_an_address_in_place_of_an_id_is_told_what_takes_it(
    project: Path, command: list[str], model: str, fix: str
) -> None:
    result = run(*command, "--model", model, *(["--goal", "try"] if command[0] == "init" else []))
    assert result.exit_code == 2
    assert fix in result.stderr.replace("\n", " ")


@pytest.mark.parametrize("before", ["encryptionsalt: v1:abc=:v1:x:y==\n", ""])
@pytest.mark.parametrize("config", ["", "config:\n  gcp:project: other\n  gcp:region: us-west1\n", "config: {}\n"])
def test_what_pulumi_wrote_before_is_kept(project: Path, before: str, config: str) -> None:
    """`pulumi new` and `pulumi stack init` leave the stack's file; without its salt no secret of it can be read."""
    file = project / "Pulumi.first.yaml"
    file.write_text(config + before)
    result = run(*init())
    assert result.exit_code == 0, result.output
    document = yaml.safe_load(file.read_text("utf-8"))
    assert document.get("encryptionsalt") == (yaml.safe_load(before) or {}).get("encryptionsalt")
    assert document["config"]["gcp:project"] == "my-project"
    assert ("gcp:region" in document["config"]) == ("gcp:region" in config)
    assert "pulumi stack select first" in result.stdout
    assert [path.name for path in project.glob("*first*")] == [file.name]
    assert run("plan", "-s", "first").exit_code == 0


@pytest.mark.parametrize(
    "mine", ["# mine\nencryptionsalt: v1:a:b\n", "config:\n  gke-llm-serving:serving: {}\n", "a: 1\n"]
)
def test_a_file_with_anything_else_is_kept_as_it_is(project: Path, mine: str) -> None:
    (project / "Pulumi.first.yaml").write_text(mine)
    assert "exists already" in run(*init()).stderr
    assert (project / "Pulumi.first.yaml").read_text() == mine


def test_a_file_that_is_there_is_kept(project: Path) -> None:
    (project / "Pulumi.first.yaml").write_text("mine")
    result = run(*init())
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert (project / "Pulumi.first.yaml").read_text() == "mine"
