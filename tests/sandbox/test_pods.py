"""What the scheduler counts for a pod, read from rendered objects."""

from typing import Any

import pytest

from l4serve.planning.packing.pod_requests import requests_of
from l4serve.sandbox.pods import pod_requests
from tests.sandbox.sandbox_objects import deployment


def container(cpu: str, memory: str = "1Gi", **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


def sidecar(cpu: str) -> dict[str, Any]:
    return container(cpu, restartPolicy="Always")


@pytest.mark.parametrize(
    ("init", "running", "millis"),
    [
        ([], ["2"], 2000),
        ([], ["2", "500m"], 2500),
        ([container("3")], ["2"], 3000),
        ([container("1"), container("1")], ["2"], 2000),
        ([sidecar("1")], ["2"], 3000),
        ([sidecar("1"), container("3")], ["2"], 4000),
        ([container("3"), sidecar("1")], ["2"], 3000),
    ],
)
def test_containers_add_up_and_init_steps_take_turns(init: list, running: list[str], millis: int) -> None:
    spec = {"initContainers": init, "containers": [container(cpu) for cpu in running]}
    assert requests_of(spec).cpu_millis == millis


def test_overhead_comes_on_top() -> None:
    spec = {"containers": [container("2", "1Gi")], "overhead": {"cpu": "250m", "memory": "64Mi"}}
    assert requests_of(spec).cpu_millis == 2250
    assert requests_of(spec).memory_bytes == 2**30 + 64 * 2**20


def test_a_limit_stands_in_for_a_request_that_is_left_out() -> None:
    limits = {"cpu": "4", "memory": "2Gi", "ephemeral-storage": "10Gi", "nvidia.com/gpu": 2}
    request = requests_of({"containers": [{"resources": {"limits": limits, "requests": {"cpu": "1"}}}]})
    assert (request.cpu_millis, request.memory_bytes, request.ephemeral_bytes, request.gpus) == (
        1000,
        2 * 2**30,
        10 * 2**30,
        2,
    )


def test_a_container_without_resources_asks_for_nothing_but_a_pods_place() -> None:
    request = requests_of({"containers": [{}]})
    assert (request.cpu_millis, request.memory_bytes, request.gpus, request.pods) == (0, 0, 0, 1)


def test_each_replica_is_a_pod_and_other_kinds_make_none() -> None:
    objects = [
        deployment("three", replicas=3, gpus=2, pool="l4"),
        deployment("none", replicas=0),
        {"kind": "Service", "metadata": {"name": "three"}, "spec": {}},
    ]
    pods = pod_requests(objects)
    assert [(pod.workload, pod.requests.gpus) for pod in pods] == [("three", 2)] * 3
    assert pods[0].node_selector == {"l4serve.dev/pool": "l4"}
