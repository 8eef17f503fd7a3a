"""A pool that leaves its disk open gets one that holds its pods: the plan never refuses its own default."""

from l4serve.planning.machines.shapes import all_shapes
from tests import factories
from tests.each_case import each

MODELS = ("Qwen/Qwen2.5-1.5B-Instruct", "Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-14B-Instruct-AWQ")
MACHINES = sorted({shape.machine_type for shape in all_shapes(None) if shape.gpus > 1 and not shape.attached})


@each(MACHINES, str)
def test_the_disk_of_many_pods_holds_each(machine: str) -> None:
    shape = next(shape for shape in all_shapes(None) if shape.machine_type == machine)
    market = {} if "on-demand" in shape.sold_as else {"provisioning": shape.sold_as[0]}
    zones = {"allowUnlistedZones": True}
    for model in MODELS:
        pool = {"machineType": machine, "maxNodes": 1, **market, **zones}
        serving = factories.serving({"w": factories.workload(model)}, cluster=factories.STANDARD, pools={"p": pool})
        plan = factories.planned(serving)
        assert plan.workloads[0].judgement.fit is not None
