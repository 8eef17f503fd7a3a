"""A workload on Autopilot has candidates: on the machine that is made for each pod, which it pays whole."""

from pathlib import Path
from typing import Any

import pytest

from l4serve.advising.checklist import checklist
from l4serve.advising.load_share import share_of
from l4serve.advising.ranking import Wish
from l4serve.advising.stack_advice import Advisor, write_advice
from l4serve.config.stack_file import read_stack_text
from l4serve.planning.performance.load import Load
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.workload.judgement.speed_question import subject_speed

LOAD = Load(input_tokens=256, output_tokens=128, clients=16)


def stack(**workload: Any) -> str:
    settings = "".join(f"\n        {key}: {value}" for key, value in workload.items())
    return f"""config:
  gcp:project: my-project
  gke-llm-serving:serving:
    cluster: {{mode: autopilot, name: c, location: us-central1}}
    workloads:
      w:
        model: {{id: Qwen/Qwen2.5-7B-Instruct}}
        engine: {{kind: vllm, version: 0.26.0, maxModelLen: 8192}}{settings}
"""


def planned(text: str) -> StackPlan:
    return plan_stack(read_stack_text(text.encode(), Path("Pulumi.auto.yaml")))


@pytest.mark.parametrize("load", [LOAD, Load(input_tokens=256, output_tokens=128, rate=4.0)])
@pytest.mark.parametrize("goal", ["latency", "throughput", "cost"])
def test_what_is_written_on_autopilot_plans_with_the_estimate_that_was_advised(goal: Any, load: Load) -> None:
    text = stack(replicas=1)
    written = write_advice(text, planned(text).workloads[0], Wish(goal=goal, load=load), planned)
    winner = written.answer.winner
    assert winner is not None
    assert (written.text != text) == bool(winner.candidate.edit)
    plan = planned(written.text)
    (after,) = plan.workloads
    part = share_of(load, winner.candidate.replicas)
    assert subject_speed(after.prospect.subject, after.judgement, part).figures == winner.speed.figures
    line = next(line for line in plan.cost.lines if line.name == "workloads.w")
    assert line.machine_type == winner.candidate.home.shape.machine_type
    assert line.price is not None
    assert line.price.usd_per_hour * winner.candidate.replicas == pytest.approx(winner.candidate.bill)
    priced = after.prospect.one_user.usd_per_hour
    assert priced == pytest.approx(line.price.usd_per_hour)


def test_every_count_that_autopilot_offers_is_tried_on_the_machine_that_is_made_for_it() -> None:
    advisor = Advisor(planned(stack()).workloads[0], Wish(goal="latency", load=LOAD))
    answer = advisor.best()
    tried = [*(judged.candidate for judged in answer.front), *(lost.candidate for lost in answer.rejected)]
    made = {candidate.pod.subject.layout.gpus: candidate.home.shape.machine_type for candidate in tried}
    assert made == {1: "g2-standard-4", 2: "g2-standard-24", 4: "g2-standard-48", 8: "g2-standard-96"}
    assert {candidate.pods_each for candidate in tried} == {1}


def test_a_pod_that_asks_for_more_memory_is_advised_on_a_larger_machine() -> None:
    text = stack(resources="{requests: {memory: 40Gi}}")
    written = write_advice(text, planned(text).workloads[0], Wish(goal="cost", load=LOAD), planned)
    assert written.answer.winner is not None
    assert written.answer.winner.candidate.home.shape.machine_type == "g2-standard-12"


def test_the_checklist_tries_two_cards_on_autopilot() -> None:
    """It said that nobody plans the machines."""
    items = checklist(planned(stack()).workloads[0])
    tensor = next(item for item in items if item.item == "tensor parallelism")
    assert "nobody plans" not in tensor.text
    assert tensor.status == "not applicable" or tensor.edit["gpus"] == 2
