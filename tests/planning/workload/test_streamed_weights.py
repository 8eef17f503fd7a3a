"""Weights that the engine streams from a bucket by itself: what it can load so, and the memory that it takes."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests import factories

STREAMED = {"kind": "bucket", "uri": "gs://models/qwen", "reader": "streamer"}
QWEN = "Qwen/Qwen2.5-1.5B-Instruct"


def planned(source: dict[str, Any], *, model: str = QWEN, engine: dict[str, Any] | None = None) -> WorkloadPlan:
    chat = factories.workload(model, engine=engine)
    chat["model"]["source"] = source
    return factories.planned(factories.serving({"chat": chat})).workloads[0]


@pytest.mark.parametrize("version", ["0.11.1", "0.20.0", "0.27.1"])
@pytest.mark.parametrize(
    ("model", "engine"), [(QWEN, {"quantization": "bitsandbytes"}), ("unsloth/Qwen2.5-1.5B-Instruct-bnb-4bit", {})]
)
def test_bitsandbytes_has_a_loader_of_its_own_that_reads_files(
    version: str, model: str, engine: dict[str, Any]
) -> None:
    engine = {**engine, "version": version}
    with pytest.raises(ConfigError) as refused:
        planned(STREAMED, model=model, engine=engine)
    (problem,) = refused.value.problems
    assert problem.path == "workloads.chat.model.source.reader"
    assert problem.remedy == "set model.source.reader: fuse"
    assert planned({**STREAMED, "reader": "fuse"}, model=model, engine=engine).engine.argv


def slow(stack: StackPlan) -> list[str]:
    return [note.text for note in stack.notes if note.id == "host-memory-slow"]


def stack(cluster: Mapping[str, Any], *, gpus: int = 1, source: Any = STREAMED, **fields: Any) -> StackPlan:
    chat = factories.workload(gpus=gpus, engine={"tensorParallelSize": gpus}, **fields)
    if source:
        chat["model"]["source"] = source
    pools = {"l4": {"machineType": "g2-standard-24", "maxNodes": 2}} if cluster["mode"] == "standard" else {}
    return factories.planned(factories.serving({"chat": chat}, cluster=cluster, pools=pools))


def test_each_rank_has_a_buffer_of_its_own_and_no_file_is_read_twice() -> None:
    """A server of 1.6 GiB and a rank of 2.4, with 4 GiB of buffer each; two ranks share /dev/shm besides."""

    def refused_below(gpus: int, memory: str) -> float:
        with pytest.raises(ConfigError) as refused:
            stack(factories.ZONAL, gpus=gpus, resources={"requests": {"memory": memory}})
        (told,) = [each.message for each in refused.value.problems if "OOMKilled" in each.message]
        return float(told.partition("below the ")[2].partition(" GiB")[0])

    one, two = refused_below(1, "2Gi"), refused_below(2, "2Gi")
    from_files = stack(factories.ZONAL, source=None, resources={"requests": {"memory": "2Gi"}}, fit="warn")
    (without,) = [note.text for note in from_files.notes if "OOMKilled" in note.text]
    least = float(without.partition("below the ")[2].partition(" GiB")[0])
    assert one == pytest.approx(least + 4, abs=0.1)
    assert two > one + 4
    enough = f"{math.ceil(one)}Gi"
    assert slow(stack(factories.ZONAL, resources={"requests": {"memory": enough}})) == []
    assert slow(stack(factories.ZONAL, source=None, resources={"requests": {"memory": f"{math.ceil(least)}Gi"}}))


@pytest.mark.parametrize("source", [STREAMED, None], ids=["streamed", "hub"])
def test_a_plan_warns_of_no_memory_that_it_chose_itself(source: Any) -> None:
    """A pod of 14 GiB of offloaded cache asks for more than its share of the smallest machine."""
    args = ["--kv-offloading-size=14"]
    assert slow(stack(factories.AUTOPILOT, source=source, extraArgs=args)) == []
    assert slow(stack(factories.AUTOPILOT, source=source)) == []


VOLUMES = (None, {"kind": "claim", "claim": "models"}, {**STREAMED, "reader": "fuse"})


@pytest.mark.parametrize("source", VOLUMES, ids=["hub", "claim", "mounted bucket"])
@pytest.mark.parametrize("loader", ["runai_streamer", "runai_streamer_sharded"])
def test_the_streamer_has_its_buffer_wherever_the_weights_lie(source: Any, loader: str) -> None:
    def least(gpus: int, load_format: str | None) -> float:
        engine = {"tensorParallelSize": gpus, "loadFormat": load_format}
        chat = factories.workload(
            gpus=gpus, engine=engine, resources={"requests": {"memory": "2Gi"}}, fit="warn", nodePool="l4"
        )
        if source:
            chat["model"]["source"] = source
        pools = {"l4": {"machineType": "g2-standard-24", "maxNodes": 2}}
        plan = factories.planned(factories.serving({"chat": chat}, cluster=factories.ZONAL, pools=pools))
        (told,) = [note.text for note in plan.notes if "OOMKilled" in note.text]
        limit = plan.workloads[0].engine.env.get("RUNAI_STREAMER_MEMORY_LIMIT")
        assert limit == (str(4 * 2**30) if load_format == loader else None)
        return float(told.partition("below the ")[2].partition(" GiB")[0])

    for gpus in (1, 2):
        assert least(gpus, loader) == pytest.approx(least(gpus, "safetensors") + 4 * gpus, abs=0.1)


def test_nobody_sets_the_buffer_of_the_streamer_past_the_plan() -> None:
    limit = {"RUNAI_STREAMER_MEMORY_LIMIT": "-1"}
    chat = factories.workload(engine={"loadFormat": "runai_streamer"}, extraEnv=limit)
    with pytest.raises(ConfigError, match="counted with the buffer") as refused:
        factories.planned(factories.serving({"chat": chat}))
    assert "another engine.loadFormat" in str(refused.value)


STREAMER = {"loadFormat": "runai_streamer"}


@pytest.mark.parametrize(
    "args",
    [
        ['--model-loader-extra-config={"memory_limit": -1}'],
        ["--model-loader-extra-config", '{"concurrency": 8, "memory_limit": 0}'],
        ["--model-loader-extra-config.memory_limit=-1"],
        ['--model-loader-extra-config={"memory\\u005flimit": -1}'],
    ],
)
def test_nor_by_the_options_of_the_loader(args: list[str]) -> None:
    chat = factories.workload(engine=STREAMER, extraArgs=args)
    with pytest.raises(ConfigError, match="leave memory_limit out of it"):
        factories.planned(factories.serving({"chat": chat}))


def test_other_options_of_the_loader_are_the_users_own() -> None:
    chat = factories.workload(engine=STREAMER, extraArgs=['--model-loader-extra-config={"concurrency": 8}'])
    (plan,) = factories.planned(factories.serving({"chat": chat})).workloads
    assert any("concurrency" in argument for argument in plan.engine.argv)
