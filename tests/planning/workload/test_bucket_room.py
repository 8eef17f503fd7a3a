"""Room for an engine beside the container that mounts its bucket: on Autopilot, and on machines that are too small."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.values.quantity import GIB
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests import factories

SEVEN = "Qwen/Qwen2.5-7B-Instruct"


def planned(model: str = SEVEN, *, machine: str | None = None, offloaded: int = 0, **source: Any) -> WorkloadPlan:
    """A workload whose weights come from a bucket, on Autopilot or on a pool of a machine."""
    chat = factories.workload(model, engine={"maxModelLen": 8192, "cpuOffloadGb": offloaded})
    chat["model"]["source"] = {"kind": "bucket", "uri": "gs://models/x", **source}
    if machine is None:
        return factories.planned(factories.serving({"chat": chat}, cluster=factories.AUTOPILOT)).workloads[0]
    pools = {"l4": {"machineType": machine, "maxNodes": 1}}
    return factories.planned(factories.serving({"chat": chat}, pools=pools)).workloads[0]


@pytest.mark.parametrize("source", [{}, {"cache": "memory"}])
def test_the_defaults_of_autopilot_pass_their_own_check(source: dict[str, Any]) -> None:
    plan = planned(**source)
    assert plan.resources.limits.memory_bytes >= 10 * GIB
    assert plan.resources.shm_bytes > 4 * GIB
    assert not [note.text for note in plan.notes if "is below the" in note.text]


def test_a_model_that_nobody_described_has_the_share_of_a_node_too() -> None:
    plan = planned("someone/unknown", cache="memory")
    assert plan.resources.limits.memory_bytes >= 10 * GIB
    assert plan.resources.shm_bytes > 0


def test_a_machine_of_which_the_mount_leaves_nothing_is_refused_with_what_works() -> None:
    with pytest.raises(ConfigError) as refused:
        planned(machine="g2-standard-4", cache="memory")
    (problem,) = refused.value.problems
    assert (problem.path, problem.remedy[:14]) == ("workloads.chat.model.source.cache", "set it to disk")
    assert planned(machine="g2-standard-4", cache="disk")


def test_a_larger_machine_is_named_where_the_mount_leaves_too_little() -> None:
    with pytest.raises(ConfigError) as refused:
        planned(machine="g2-standard-8", cache="memory", offloaded=8)
    (problem,) = refused.value.problems
    machine = problem.remedy.rpartition(": ")[2]
    assert machine != "g2-standard-8"
    assert planned(machine=machine, cache="memory", offloaded=8)


def test_the_cache_of_an_adapter_is_bounded_and_the_pod_asks_for_its_room() -> None:
    def sidecar(adapters: int, source: Any = None) -> tuple[int, list[str]]:
        named = [{"name": f"a{n}", "path": f"gs://adapters/a{n}"} for n in range(adapters)]
        chat = factories.workload(SEVEN, engine={"lora": {"adapters": named}, "maxModelLen": 2048})
        chat["model"] |= {"source": source} if source else {}
        storage = factories.planned(factories.serving({"chat": chat})).workloads[0].storage
        assert storage.sidecar is not None
        mounts = [each.bucket["mountOptions"] for each in storage.volumes if each.bucket and each.name != "weights"]
        return storage.sidecar.ephemeral_bytes // GIB, mounts

    (one, (options,)), (three, _) = sidecar(1), sidecar(3)
    assert "file-cache:max-size-mb:1024" in options and "file-cache:max-size-mb:-1" not in options
    assert three == one + 2
    streamed, _ = sidecar(1, {"kind": "bucket", "uri": "gs://models/x", "reader": "streamer"})
    assert streamed == one
