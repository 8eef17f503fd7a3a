"""What a plan says of its placement: pods that may block each other, and GPUs that nobody can use."""

from typing import Any

from l4serve.cli.stack_options import project_root
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.planning.stack.notes import notes
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack


def planned(workloads: dict[str, Any], nodes: int) -> StackPlan:
    serving = {
        "cluster": {"mode": "standard", "name": "one", "location": "us-central1"},
        "nodePools": {"l4": {"machineType": "g2-standard-24", "maxNodes": nodes, "diskSizeGb": 300}},
        "workloads": workloads,
    }
    return plan_stack(parse_stack("it", {"gcp:project": "p-12345", SERVING_KEY: serving}, base=project_root()))


def workload(gpus: int, memory: str, replicas: int = 1) -> dict[str, Any]:
    return {
        "model": {"id": "Qwen/Qwen2.5-7B-Instruct"},
        "engine": {"kind": "vllm", "version": "0.26.0", "maxModelLen": 4096},
        "nodePool": "l4",
        "gpus": gpus,
        "replicas": replicas,
        "resources": {"requests": {"cpu": "4", "memory": memory, "ephemeralStorage": "50Gi"}},
    }


def of_pool(plan: StackPlan) -> list[str]:
    return [note for path, note in notes(plan) if path == "nodePools.l4"]


def test_small_pods_that_could_block_a_large_one_are_told() -> None:
    workloads = {"small": workload(1, "20Gi", replicas=2), "large": workload(2, "40Gi")}
    (note,) = of_pool(planned(workloads, nodes=2))
    assert "Pending" in note
    assert of_pool(planned(workloads, nodes=3)) == []


def test_gpus_that_nobody_can_use_are_told() -> None:
    (note,) = of_pool(planned({"greedy": workload(1, "60Gi")}, nodes=1))
    assert note.startswith("1 of its GPUs")


def test_the_json_plan_holds_placement_and_cost() -> None:
    document = stack_json(planned({"a": workload(1, "20Gi")}, nodes=2))
    assert document["placement"]["l4"]["nodes"] == [{"a": 1}]
    assert document["cost"]["usdPerHourAtMost"] > document["cost"]["usdPerHourAtLeast"] > 0
    assert document["cost"]["unknown"] == []
