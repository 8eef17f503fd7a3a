"""What the last update of the stack left running, from the stack's own outputs."""

import time
from collections.abc import Mapping
from typing import Any

import pulumi

from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.stack.exchange import read_pods

PODS_OUTPUT = "pods"
_READ_OUTPUTS = "pulumi:pulumi:readStackOutputs"
_PAUSES_S = (0.1, 0.3, 1.0)
"""Between attempts: the engine writes the state in which it looks for the outputs, and may find half of a file."""


def deployed_pods() -> Mapping[str, PodRequest]:
    """The pods that are deployed, by the names of their Kubernetes objects; none for a stack that never came up."""
    found = _own_outputs(f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}")
    return read_pods((found.get("outputs") or {}).get(PODS_OUTPUT))


def _own_outputs(name: str) -> Mapping[str, Any]:
    for pause_s in _PAUSES_S:
        try:
            return _read(name)
        except Exception as error:  # Pulumi raises nothing narrower
            pulumi.log.debug(f"{error}; asked again in {pause_s} s")
            time.sleep(pause_s)
    return _read(name)


def _read(name: str) -> Mapping[str, Any]:
    return pulumi.runtime.invoke(_READ_OUTPUTS, {"name": name}).value or {}
