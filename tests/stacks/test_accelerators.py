"""Stacks on the accelerators after the L4 are planned and rendered, with what the engine would say of the card."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from l4serve.cli.commands.render_command import Rendered, render_stack
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import Stack, read_stack_file
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from tests.factories import ZONAL, planned, serving, workload

STACKS = Path(__file__).parents[1] / "data" / "stacks"
CARDS = {
    "g4": ("g4-standard-48", "nvidia-rtx-pro-6000"),
    "a2": ("a2-ultragpu-1g", "nvidia-a100-80gb"),
    "a3": ("a3-highgpu-1g", "nvidia-h100-80gb"),
    "t4": ("n1-standard-8", "nvidia-tesla-t4"),
}
T4_POOL = {"machineType": "n1-standard-8", "accelerator": {"type": "nvidia-tesla-t4"}}


def stack(name: str) -> Stack:
    return read_stack_file(STACKS / f"Pulumi.{name}.yaml")


@cache
def rendered(name: str) -> Rendered:
    return render_stack(stack(name))


def said(plan: StackPlan) -> str:
    return "\n".join(f"{note.path}: {note.text}" for note in plan.notes)


@pytest.mark.parametrize("name", CARDS)
def test_a_stack_on_another_accelerator_is_planned_priced_and_judged(name: str) -> None:
    plan = plan_stack(stack(name))
    (pool,) = plan.node_pools
    assert (pool.machine_type, pool.accelerator, pool.gpus) == (*CARDS[name], 1)
    assert plan.cost.unknown == ()
    (qwen,) = plan.workloads
    assert qwen.judgement.fit is not None
    assert qwen.judgement.fit.fits


@pytest.mark.slow
@pytest.mark.parametrize("name", CARDS)
def test_a_stack_on_another_accelerator_is_rendered(name: str) -> None:
    machine, accelerator = CARDS[name]
    found = rendered(name)
    pools = [resource for resource in found.cloud if resource["type"].endswith("nodePool:NodePool")]
    gpu_pool = next(pool for pool in pools if pool["inputs"]["nodeConfig"].get("guestAccelerators"))
    config: dict[str, Any] = gpu_pool["inputs"]["nodeConfig"]
    assert config["machineType"] == machine
    (card,) = config["guestAccelerators"]
    assert (card["type"], card["count"]) == (accelerator, 1)
    deployment = next(each for each in found.objects if each["kind"] == "Deployment")
    selector = deployment["spec"]["template"]["spec"]["nodeSelector"]
    assert selector["cloud.google.com/gke-accelerator"] == accelerator


def test_fp8_weights_on_an_a100_warn_of_kernels_that_save_memory_only() -> None:
    assert "Marlin computes in 16 bits [vllm-fp8-weights-before-ada]" in said(plan_stack(stack("a2")))


def test_bfloat16_on_a_t4_is_refused_with_the_edit_that_runs() -> None:
    values = serving(
        {"qwen": workload(engine={"dtype": "bfloat16"}, nodePool="t4")}, cluster=ZONAL, pools={"t4": T4_POOL}
    )
    with pytest.raises(ConfigError) as caught:
        planned(values)
    (problem,) = caught.value.problems
    assert problem.path == "workloads.qwen.engine.dtype"
    assert "bfloat16 needs compute capability 8.0" in problem.message
    assert problem.remedy == "set engine.dtype: float16, or remove it"
    values["workloads"]["qwen"]["engine"]["dtype"] = "float16"
    assert planned(values).workloads[0].judgement.fit is not None


def test_a_pool_with_attached_cards_may_leave_its_machine_open() -> None:
    pool = {"accelerator": {"type": "nvidia-tesla-t4", "count": 2}}
    values = serving(
        {"qwen": workload(engine={"dtype": "float16", "tensorParallelSize": 2}, gpus=2)}, pools={"t4": pool}
    )
    (chosen,) = planned(values).node_pools
    assert (chosen.machine_type, chosen.gpus) == ("n1-standard-8", 2)
