"""A stack of one workload whose weights come from a source, as the tests of sources plan it."""

from typing import Any

import pytest

from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests import factories

QWEN = "Qwen/Qwen2.5-7B-Instruct"
POOL = {"machineType": "g2-standard-12", "maxNodes": 2}


def stack(
    source: dict[str, Any] | None,
    *,
    model: str = QWEN,
    pool: dict[str, Any] | None = None,
    cluster: dict[str, Any] | None = None,
    **fields: Any,
) -> StackPlan:
    chat = factories.workload(model, nodePool="l4", **fields)
    if source is not None:
        chat["model"]["source"] = source
    site = {**factories.ZONAL, **(cluster or {})}
    return factories.planned(factories.serving({"chat": chat}, cluster=site, pools={"l4": {**POOL, **(pool or {})}}))


def chat(source: dict[str, Any] | None, **more: Any) -> WorkloadPlan:
    return stack(source, **more).workloads[0]


def refusal(source: dict[str, Any], **more: Any) -> str:
    with pytest.raises(ValueError, match=r".") as refused:
        stack(source, **more)
    return str(refused.value)
