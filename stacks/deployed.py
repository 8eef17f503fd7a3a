"""What the last update of the stack left running, from the stack's own outputs."""

from collections.abc import Mapping

import pulumi

from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.stack.exchange import read_pods

PODS_OUTPUT = "pods"
_READ_OUTPUTS = "pulumi:pulumi:readStackOutputs"


def deployed_pods() -> Mapping[str, PodRequest]:
    """The pods that are deployed, by the names of their Kubernetes objects; none for a stack that never came up."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    found = pulumi.runtime.invoke(_READ_OUTPUTS, {"name": name}).value or {}
    return read_pods((found.get("outputs") or {}).get(PODS_OUTPUT))
