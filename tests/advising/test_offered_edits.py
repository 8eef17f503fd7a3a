"""No edit that the checklist offers is refused by the plan of the stack that it is offered for."""

from pathlib import Path

import pytest

from l4serve.advising.checklist import Item, checklist
from l4serve.advising.trial import Edited, Trial
from l4serve.config.reading.yaml_edits import with_values
from l4serve.config.stack_file import read_stack_text
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from tests.stack_cases import ROOT

STACKS = sorted([*ROOT.glob("Pulumi.*.yaml"), *(ROOT / "examples").glob("Pulumi.*.yaml")])


def trial_of(file: Path) -> Trial:
    text = file.read_text("utf-8")

    def planner(edited: str) -> StackPlan:
        return plan_stack(read_stack_text(edited.encode(), file))

    return Trial(text=text, plan=planner(text), planner=planner)


def offered(trial: Trial) -> dict[tuple[str, str], Item]:
    paid = {pool.name: pool.supply.provisioning for pool in trial.plan.node_pools}
    return {
        (workload.name, item.id): item
        for workload in trial.plan.workloads
        for item in checklist(workload, paid.get(str(workload.placing.packed_on), "on-demand"), trial)
    }


@pytest.mark.parametrize("file", STACKS, ids=lambda file: file.stem)
def test_every_offered_edit_plans(file: Path) -> None:
    trial = trial_of(file)
    serving = ("config", "gke-llm-serving:serving")
    for (workload, _), item in offered(trial).items():
        if item.edit:
            assert item.status == "gains"
            below = {key: () if key.startswith("nodePools.") else ("workloads", workload) for key in item.edit}
            edit = {(*serving, *below[key], *key.split(".")): value for key, value in item.edit.items()}
            assert trial.planner(with_values(trial.text, edit)).workloads


def test_replicas_come_with_the_nodes_that_they_need() -> None:
    """A pool of one node has no room for two, which the checklist once offered all the same."""
    items = offered(trial_of(ROOT / "examples" / "Pulumi.api-key.yaml"))
    assert items["chat", "throughput-replicas"].edit == {"replicas": 2, "nodePools.l4.maxNodes": 2}


def test_an_edit_that_no_more_nodes_help_is_told_why() -> None:
    item = offered(trial_of(ROOT / "examples" / "Pulumi.scaled-with-fallback.yaml"))["chat", "latency-gpu"]
    assert (item.status, item.edit) == ("not applicable", {})
    assert "the stack refuses nodePools.l4.machineType: a3-highgpu-8g" in item.text
    assert "mixes" in item.text


@pytest.mark.parametrize("item", ["latency-gpu", "throughput-tensor-parallelism"])
def test_an_edit_of_the_machines_has_the_bill_of_the_whole_stack(item: str) -> None:
    trial = trial_of(ROOT / "Pulumi.prod.yaml")
    found = offered(trial)["llama-8b", item]
    edited = trial.edited("llama-8b", found.edit)
    assert isinstance(edited, Edited)
    assert found.bill is not None
    assert found.bill.today == trial.plan.cost.at("planned").per_hour
    assert found.bill.edited == edited.plan.cost.at("planned").per_hour
    assert found.bill.edited > found.bill.today
    assert f"costs {found.bill.edited:.2f} USD an hour in place of {found.bill.today:.2f}" in found.text
    assert found.price_date == found.bill.dates


def test_an_edit_that_costs_no_more_has_no_bill() -> None:
    items = offered(trial_of(ROOT / "Pulumi.dev.yaml"))
    assert items["qwen", "latency-quantization"].edit
    assert items["qwen", "latency-quantization"].bill is None
