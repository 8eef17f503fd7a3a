"""A workload of a compute class has candidates: on the smallest machine that may come, at the price of the dearest."""

from pathlib import Path
from typing import Any

import pytest

from l4serve.advising.load_share import share_of
from l4serve.advising.ranking import Wish
from l4serve.advising.stack_advice import Advisor, stack_homes, write_advice
from l4serve.config.stack_file import read_stack_text
from l4serve.planning.performance.load import Load
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.workload.judgement.speed_question import subject_speed
from tests import factories
from tests.stack_cases import ROOT

FILE = ROOT / "examples" / "Pulumi.scaled-with-fallback.yaml"
LOAD = Load(input_tokens=256, output_tokens=128, clients=16)


def planned(text: str) -> StackPlan:
    return plan_stack(read_stack_text(text.encode(), FILE))


def classed(*priorities: dict[str, Any], **pools: dict[str, Any]) -> StackPlan:
    workload = {
        "model": {"id": "Qwen/Qwen2.5-1.5B-Instruct"},
        "engine": {"kind": "vllm"},
        "computeClass": "any",
    }
    return factories.planned(
        {
            "cluster": {"mode": "standard", "name": "c", "location": "us-central1"},
            "nodePools": pools,
            "computeClasses": {"any": {"priorities": list(priorities)}},
            "workloads": {"w": workload},
        }
    )


@pytest.mark.parametrize("goal", ["latency", "throughput", "cost"])
def test_what_is_written_of_a_class_plans_with_the_estimate_that_was_advised(goal: Any) -> None:
    """Its nodes are planned, and yet advise had no candidates for it."""
    text = Path(FILE).read_text("utf-8")
    written = write_advice(text, planned(text).workloads[0], Wish(goal=goal, load=LOAD), planned)
    winner = written.answer.winner
    assert winner is not None
    assert winner.candidate.home.shape.machine_type == "g2-standard-8"
    assert winner.candidate.edit
    assert written.text != text
    (after,) = planned(written.text).workloads
    part = share_of(LOAD, winner.candidate.replicas)
    assert subject_speed(after.prospect.subject, after.judgement, part).figures == winner.speed.figures


def test_a_class_is_priced_by_its_dearest_machine_and_fits_its_smallest() -> None:
    plan = classed(
        {"nodePool": "large"},
        {"nodePool": "small"},
        large={"machineType": "g2-standard-24", "minNodes": 0, "maxNodes": 1, "spot": True},
        small={"machineType": "g2-standard-8", "minNodes": 0, "maxNodes": 2},
    )
    (home,) = stack_homes(plan.workloads[0])
    assert home.shape.machine_type == "g2-standard-8"
    small = next(pool.price for pool in plan.node_pools if pool.name == "small")
    assert small is not None
    assert home.usd_per_hour == pytest.approx(small.usd_per_hour)


def test_a_class_whose_machines_gke_makes_has_candidates() -> None:
    plan = classed({"machineType": "g2-standard-4", "spot": True}, {"machineType": "g2-standard-8"})
    advisor = Advisor(plan.workloads[0], Wish(goal="throughput", load=LOAD))
    (home,) = advisor.homes
    assert (home.shape.machine_type, home.usd_per_hour is None) == ("g2-standard-4", False)
    assert advisor.best().winner is not None
