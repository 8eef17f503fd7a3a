"""Advice on a stack: the guide's checklist item by item, and edits of its file that the whole plan takes."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.advising.checklist import Item, checklist
from l4serve.advising.load_share import share_of
from l4serve.advising.ranking import Wish
from l4serve.advising.stack_advice import Advisor, write_advice
from l4serve.cli.app import app
from l4serve.config.keys.node_pool import Provisioning
from l4serve.config.reading.yaml_edits import with_values
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY, read_stack_file
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Speed
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.workload.judgement.judging import Judgement
from l4serve.planning.workload.judgement.speed_question import subject_speed
from l4serve.planning.workload.judgement.subject import Subject
from tests import factories
from tests.stack_cases import ROOT

LOAD = Load(input_tokens=256, output_tokens=128, clients=64)
GUIDE = {
    "latency-gpu", "latency-quantization", "throughput-replicas", "throughput-tensor-parallelism",
    "throughput-batching", "cost-model", "cost-quantization", "cost-context", "attention",
}  # fmt: skip


def items(machine: str = "g2-standard-8", **workload: Any) -> dict[str, Item]:
    engine = {"kind": "vllm", "version": "0.26.0", **workload.pop("engine", {})}
    plan = factories.planned(
        {
            "cluster": {"mode": "standard", "name": "c", "location": "us-central1-a"},
            "nodePools": {"l4": {"machineType": machine, "minNodes": 1, "maxNodes": 4}},
            "workloads": {"w": {"model": {"id": "Qwen/Qwen2.5-7B-Instruct"}, "engine": engine, **workload}},
        }
    )
    return {item.id: item for item in checklist(plan.workloads[0])}


def test_the_checklist_is_the_guide_s_item_by_item() -> None:
    assert set(items()) == GUIDE


@pytest.mark.parametrize(
    ("item", "edit"),
    [
        ("latency-gpu", {"nodePools.l4.machineType": "a3-highgpu-8g"}),
        ("latency-quantization", {"engine.quantization": "fp8"}),
        ("throughput-replicas", {"replicas": 2}),
        ("cost-model", {"model.id": "Qwen/Qwen2.5-3B-Instruct"}),
        ("cost-quantization", {"engine.quantization": "fp8"}),
    ],
)
def test_an_item_that_gains_has_its_edit_and_its_gain(item: str, edit: dict[str, object]) -> None:
    found = items()[item]
    assert found.status == "gains"
    assert found.edit == edit
    assert found.gain is not None
    assert found.gain > 0.02
    assert found.quality in ("full", "8bit", "4bit")
    assert found.text


@pytest.mark.parametrize(
    ("item", "workload"),
    [
        ("latency-quantization", {"engine": {"quantization": "fp8"}}),
        ("cost-quantization", {"engine": {"quantization": "fp8"}}),
        ("throughput-replicas", {"replicas": 2}),
        ("throughput-batching", {"engine": {"quantization": "fp8", "maxNumBatchedTokens": 8192}}),
        ("cost-context", {"engine": {"maxModelLen": 4096}}),
        ("attention", {}),
    ],
)
def test_what_is_configured_is_applied(item: str, workload: dict[str, Any]) -> None:
    assert items(**workload)[item].status == "applied"


def test_the_better_card_is_of_a_machine_that_is_sold_as_the_pool_is_paid_for() -> None:
    plan = factories.planned(
        {
            "cluster": {"mode": "standard", "name": "c", "location": "us-central1-a"},
            "nodePools": {"l4": {"machineType": "g2-standard-8", "minNodes": 1, "maxNodes": 4}},
            "workloads": {"w": {"model": {"id": "Qwen/Qwen2.5-7B-Instruct"}, "engine": {"kind": "vllm"}}},
        }
    )
    bought: dict[Provisioning, str] = {"on-demand": "a3-highgpu-8g", "spot": "a3-highgpu-1g"}
    for provisioning, machine in bought.items():
        (item,) = (i for i in checklist(plan.workloads[0], provisioning) if i.id == "latency-gpu")
        assert item.edit == {"nodePools.l4.machineType": machine}
        assert item.price_date and f"(price of {item.price_date})" in item.text, "a price that is named has its day"


def test_every_edit_of_the_checklist_is_one_that_the_stack_plans(tmp_path: Path) -> None:
    text = (ROOT / "Pulumi.prod.yaml").read_text("utf-8")
    draft = tmp_path / "Pulumi.prod.yaml"

    def planned(edited: str) -> StackPlan:
        draft.write_text(edited, "utf-8")
        return plan_stack(read_stack_file(draft, name="prod"))

    found = [(w.name, item) for w in planned(text).workloads for item in checklist(w) if item.status == "gains"]
    assert len(found) >= 10
    for name, item in found:
        paths = {key: key if key.startswith("nodePools.") else f"workloads.{name}.{key}" for key in item.edit}
        edit = {("config", SERVING_KEY, *path.split(".")): item.edit[key] for key, path in paths.items()}
        assert planned(with_values(text, edit)).workloads, item


def test_two_cards_come_with_their_machine_and_are_applied_where_they_are_used() -> None:
    name, edit = "throughput-tensor-parallelism", {"gpus": 2, "engine.tensorParallelSize": 2}
    assert items()[name].edit == {**edit, "nodePools.l4.machineType": "g2-standard-24"}
    assert items("g2-standard-24")[name].edit == edit
    assert items("g2-standard-24", gpus=2)[name].status == "applied"


def test_an_engine_that_nobody_measured_has_no_gains() -> None:
    found = items(engine={"kind": "tgi", "version": "3.3.7"})
    assert not any(item.gain for item in found.values())
    for name in ("latency-gpu", "throughput-replicas", "cost-model"):
        assert found[name].status == "not judged"
        assert "nobody measured TGI" in found[name].text


def test_the_checklist_asks_about_the_load_of_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spread that is set would make another load of clients who queue than `l4serve estimate` takes."""
    asked: list[Load] = []

    def speed(subject: Subject, judgement: Judgement, load: Load) -> Speed:
        asked.append(load)
        return subject_speed(subject, judgement, load)

    monkeypatch.setattr("l4serve.advising.goal_figures.subject_speed", speed)
    items()
    assert asked
    assert {load.spread for load in asked} == {(0.0, 0.0, 1.0)}


@pytest.mark.parametrize("workload", ["llama-8b", "qwen-7b", "qwen-14b"])
@pytest.mark.parametrize(("goal", "rate"), [("latency", None), ("throughput", None), ("cost", None), ("cost", 4.0)])
def test_a_written_edit_plans_and_its_estimate_is_what_was_advised(
    workload: str, goal: Any, rate: float | None, tmp_path: Path
) -> None:
    text = (ROOT / "Pulumi.prod.yaml").read_text("utf-8")
    draft = tmp_path / "Pulumi.prod.yaml"

    def planned(edited: str) -> StackPlan:
        draft.write_text(edited, "utf-8")
        return plan_stack(read_stack_file(draft, name="prod"))

    before = next(w for w in planned(text).workloads if w.name == workload)
    load = replace(LOAD, clients=None if rate else 1 if goal == "latency" else LOAD.clients, rate=rate)
    written = write_advice(text, before, Wish(goal=goal, load=load), planned)
    winner = written.answer.winner
    assert winner is not None
    after = next(w for w in planned(written.text).workloads if w.name == workload)
    part = share_of(load, winner.candidate.replicas)
    found = subject_speed(after.prospect.subject, after.judgement, part)
    assert found.figures == winner.speed.figures
    assert after.scale.replicas == winner.candidate.replicas
    kept = [line for line in text.splitlines() if line in written.text.splitlines()]
    assert len(kept) >= len(text.splitlines()) - 3
    assert written.text.splitlines()[0] == text.splitlines()[0]


def test_an_edit_that_the_pools_refuse_loses_and_the_next_is_tried() -> None:
    plan = factories.planned(
        {
            "cluster": {"mode": "standard", "name": "c", "location": "us-central1-a"},
            "nodePools": {"l4": {"machineType": "g2-standard-8", "minNodes": 1, "maxNodes": 1}},
            "workloads": {"w": {"model": {"id": "Qwen/Qwen2.5-1.5B-Instruct"}, "engine": {"kind": "vllm"}}},
        }
    )
    answer = Advisor(plan.workloads[0], Wish(goal="latency", load=LOAD)).best()
    assert answer.winner is not None


def test_a_stack_gets_as_many_replicas_as_it_has_room_for(tmp_path: Path) -> None:
    pool = {"machineType": "g2-standard-8", "minNodes": 1, "maxNodes": 6}
    one = {"model": {"id": "Qwen/Qwen2.5-1.5B-Instruct"}, "engine": {"kind": "vllm"}}
    cluster = {"mode": "standard", "name": "c", "location": "us-central1-a"}
    config = {SERVING_KEY: {"cluster": cluster, "nodePools": {"l4": pool}, "workloads": {"w": one}}}
    draft = tmp_path / "Pulumi.one.yaml"

    refused: list[int] = []

    def planned(edited: str) -> StackPlan:
        draft.write_text(edited, "utf-8")
        try:
            return plan_stack(read_stack_file(draft, name="one"))
        except ConfigError:
            refused.append(int(edited.split("replicas: ")[1].split("\n")[0]))
            raise

    text = json.dumps({"config": config}, indent=1)
    wish = Wish(goal="latency", load=LOAD, budget_usd_hour=50.0)
    answer = write_advice(text, planned(text).workloads[0], wish, planned).answer
    assert answer.winner is not None
    assert answer.winner.candidate.replicas == 6
    # As many replicas as had no room, and more, are not planned again.
    assert refused == sorted(set(refused), reverse=True)
    lost = [(str(each.candidate.pod.edit), each.candidate.replicas) for each in answer.rejected]
    assert len(lost) == len(set(lost))
    assert not any(judged.candidate.replicas > 6 for judged in answer.front)


@pytest.mark.parametrize("model", ["Qwen/Qwen2.5-1.5B-Instruct", "mistralai/Mistral-7B-Instruct-v0.3"])
def test_batching_writes_no_more_than_what_gains(model: str) -> None:
    """Larger steps lost some of what quantisation alone gains, and were written for its gain."""
    found = items(model={"id": model})
    batching, quantization = found["throughput-batching"], found["cost-quantization"]
    assert batching.gain is not None
    assert quantization.gain is not None
    assert batching.gain >= quantization.gain - 1e-9
    if "engine.maxNumBatchedTokens" not in batching.edit:
        assert batching.edit == quantization.edit
        assert batching.gain == pytest.approx(quantization.gain)


def test_the_command_writes_the_file_and_shows_the_checklist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    before = (tmp_path / "Pulumi.dev.yaml").read_text("utf-8")
    done = CliRunner().invoke(app, ["advise", "--goal", "cost", "--write", "dev", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    after = (tmp_path / "Pulumi.dev.yaml").read_text("utf-8")
    assert answer["winner"]["edit"]
    assert after != before
    assert after.splitlines()[0] == before.splitlines()[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Pulumi.dev.yaml", "Pulumi.yaml", "stacks"]
    shown = CliRunner().invoke(app, ["advise", "-s", "dev", "--json"])
    assert {item["id"] for item in json.loads(shown.stdout)["workloads"]["qwen"]} == GUIDE
