"""A GPU is rows: one that no table has is planned, priced, judged and offered once its rows are there."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.machines.prices import hourly, priced_regions
from l4serve.planning.machines.shapes import accelerators, all_shapes
from l4serve.planning.machines.zones import accelerator_zones
from l4serve.planning.packing.machine_choice import Offer, cheapest_machine
from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.stack.stack_plan import StackPlan
from tests.factories import STANDARD, planned, serving, workload, write_stack
from tests.planning.accelerator_rows import ACCELERATOR, KERNELS, MACHINE, ROWS, TOTAL_GIB, USD, added_rows

POOL = {"machineType": MACHINE, "maxNodes": 2}


def plan(model: str = "Qwen/Qwen2.5-7B-Instruct", **pool: object) -> StackPlan:
    workloads = {"qwen": workload(model, nodePool="x", gpus=2, engine={"tensorParallelSize": 2})}
    return planned(serving(workloads, cluster=STANDARD, pools={"x": {**POOL, **pool}}))


def test_without_its_rows_the_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match=f"'{MACHINE}' is not a known GPU machine type"):
        plan()


def test_its_rows_plan_it_in_its_zones() -> None:
    with added_rows(ROWS):
        assert ACCELERATOR in accelerators()
        assert [shape.machine_type for shape in all_shapes(ACCELERATOR)] == [MACHINE]
        assert accelerator_zones(ACCELERATOR, "us-central1") == ("us-central1-b",)
        found = plan()
    (pool,) = found.node_pools
    assert (pool.accelerator, pool.gpus, pool.size.zones) == (ACCELERATOR, 2, ("us-central1-b",))
    (qwen,) = found.workloads
    assert qwen.placing.node_selector["cloud.google.com/gke-accelerator"] == ACCELERATOR
    assert 12_000 < qwen.resources.requests.cpu_millis < 16_000


@pytest.mark.parametrize(("pool", "market"), [({}, "on-demand"), ({"spot": True}, "spot")])
def test_its_rows_price_it(pool: dict[str, Any], market: str) -> None:
    with added_rows(ROWS):
        assert priced_regions(ACCELERATOR) == ("us-central1",)
        price = hourly(MACHINE, region="us-central1", market=market)  # type: ignore[arg-type]
        found = plan(**pool)
    assert price is not None
    assert price.usd_per_hour == USD[market]
    line = next(line for line in found.cost.lines if line.name == "nodePools.x")
    assert line.usd_at_most == 2 * USD[market]


def test_its_rows_offer_it_to_a_pool_that_leaves_the_machine_open() -> None:
    pod = PodRequest(workload="a", cpu_millis=1000, memory_bytes=2**34, ephemeral_bytes=0, gpus=2, replicas=1)
    with added_rows(ROWS):
        chosen = cheapest_machine([pod], Offer(accelerator=ACCELERATOR, region="us-central1"))
    assert chosen is not None
    assert chosen.shape.machine_type == MACHINE


def test_its_rows_judge_its_memory() -> None:
    with added_rows(ROWS):
        fit = plan().workloads[0].judgement.fit
        with pytest.raises(ConfigError, match="does not fit its GPU"):
            plan("meta-llama/Llama-3.3-70B-Instruct")
    assert fit is not None
    assert fit.total_gib == TOTAL_GIB


def test_its_rows_let_a_version_move_be_checked_on_it(tmp_path: Path) -> None:
    """The model does not fit an L4, by which every move was judged once."""
    workloads = {"gemma": workload("google/gemma-7b", nodePool="x", engine={"maxModelLen": 8192})}
    path = write_stack(tmp_path, serving(workloads, cluster=STANDARD, pools={"x": POOL}))
    asked = ["check", "-f", str(path), "--engine-version", "0.33.0", "--json"]
    with added_rows(ROWS):
        result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert "judged on" not in result.output


def test_a_way_in_which_it_is_not_sold_is_refused() -> None:
    with added_rows(ROWS), pytest.raises(ConfigError, match=f"{MACHINE} is not sold flex-start"):
        plan(flexStart={})


def test_what_the_engine_does_on_it_is_not_judged_until_a_row_says() -> None:
    def said() -> str:
        return "\n".join(f"{note.path}: {note.text}" for note in plan().notes)

    with added_rows(ROWS):
        assert "workloads.qwen.gpus: not judged: what the kernels of vLLM 0.26.0 do" in said()
    with added_rows(ROWS, KERNELS):
        assert "not judged" not in said()
