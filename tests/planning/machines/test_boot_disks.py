"""The disk chosen for a pod holds what the pod asks for beside what GKE reserves, and is no larger than needed."""

from l4serve.planning.machines.allocatable import allocatable
from l4serve.planning.machines.boot_disks import boot_disk_gib
from l4serve.planning.machines.shapes import all_shapes, default_accelerator
from l4serve.planning.values.quantity import GIB
from tests.each_case import each
from tests.factories import AUTOPILOT, planned, serving, workload


@each([0, 1, 10, 41, 42, 43, 57, 60, 61, 100, 122, 500, 1000, 57_344], str)
def test_the_disk_holds_the_request_and_one_less_would_not(gib: int) -> None:
    size = boot_disk_gib(gib * GIB, at_least=100)
    shape = all_shapes(default_accelerator())[-1]
    assert allocatable(shape, boot_disk_gib=size).ephemeral_bytes >= gib * GIB
    assert size == 100 or allocatable(shape, boot_disk_gib=size - 1).ephemeral_bytes < gib * GIB


def test_a_pod_on_autopilot_asks_for_the_disk_that_its_model_needs() -> None:
    layout = {"tensorParallelSize": 4, "maxModelLen": 8192}
    stack = serving({"chat": workload("Qwen/Qwen2.5-32B-Instruct", engine=layout)}, cluster=AUTOPILOT)
    plan = planned(stack).workloads[0]
    assert plan.resources.requests.ephemeral_bytes >= 62 * GIB
    assert not any("evicted" in note for note in plan.judgement.notes)
