"""How stacks are rehearsed whose pods fit in one order alone."""

from typing import Any

from benchmarks.rehearsing.batches import Candidate, large_first
from l4serve.planning.machines.allocatable import Allocatable
from l4serve.planning.machines.daemonsets import daemonset_overhead
from l4serve.sandbox.autoscaler import Autoscaler
from l4serve.sandbox.nodes import FakeNode


def deployment(name: str, **requests: str) -> dict[str, Any]:
    container = {"name": "engine", "resources": {"requests": requests}}
    return {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def test_the_pod_that_takes_most_of_what_is_scarce_comes_first_whatever_that_is() -> None:
    room = Allocatable(cpu_millis=48_000, memory_bytes=350 << 30, ephemeral_bytes=60 << 30, gpus=4, pods=110)
    node = FakeNode(name="a", pool="p", machine_type="a2-highgpu-4g", zone="z", capacity=room, allocatable=room)
    busy = deployment("busy", cpu="11252m", memory="80142Mi", **{"ephemeral-storage": "9Gi"})
    bulky = deployment("bulky", cpu="7909m", **{"ephemeral-storage": "43Gi"})
    space = {"kind": "Namespace", "metadata": {"name": "n"}}
    autoscaler = Autoscaler(overhead=daemonset_overhead(), gpus=False)
    ordered = large_first(Candidate("n", (busy, bulky, space), (node,), autoscaler))
    assert [each["metadata"]["name"] for each in ordered.objects] == ["n", "bulky", "busy"]
    assert ordered.in_turn
