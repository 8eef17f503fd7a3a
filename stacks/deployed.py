"""What the last update of the stack left, from the stack's own state."""

import time
from collections.abc import Mapping
from typing import Any

import pulumi

from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.stack.exchange import read_pods

PODS_OUTPUT = "pods"
_READ_OUTPUTS = "pulumi:pulumi:readStackOutputs"
_READ_RESOURCES = "pulumi:pulumi:readStackResourceOutputs"
_DEPLOYMENT = "kubernetes:apps/v1:Deployment"
_PAUSES_S = (0.1, 0.3, 1.0)
"""Between attempts: the engine writes the state in which it looks for the outputs, and may find half of a file."""


def deployed_pods() -> Mapping[str, PodRequest]:
    """The pods that are deployed, by the names of their Kubernetes objects; none for a stack that never came up."""
    return read_pods(_own(_READ_OUTPUTS, "name").get(PODS_OUTPUT))


def those_that_exist(pods: Mapping[str, PodRequest]) -> Mapping[str, PodRequest]:
    """Without those whose Deployments are not in the state: an update that failed planned them and made none.

    A name without a namespace, as outputs once had them, stays.
    """
    kinds = [(urn.split("::")[2].rpartition("$")[2], outputs) for urn, outputs in deployed_resources().items()]
    there = [outputs["metadata"] for kind, outputs in kinds if kind == _DEPLOYMENT]
    made = {f"{each['namespace']}/{each['name']}" for each in there}
    return {name: pod for name, pod in pods.items() if "/" not in name or name in made}


def deployed_resources() -> Mapping[str, Mapping[str, Any]]:
    """The outputs of all resources of the stack, by their URNs."""
    return {urn: row["outputs"] for urn, row in _own(_READ_RESOURCES, "stackName").items()}


def _own(function: str, argument: str) -> Mapping[str, Any]:
    """The outputs that a function of the engine reads of this stack."""
    asked = {argument: f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"}
    for pause_s in _PAUSES_S:
        try:
            return _read(function, asked)
        except Exception as error:  # Pulumi raises nothing narrower
            pulumi.log.debug(f"{error}; asked again in {pause_s} s")
            time.sleep(pause_s)
    return _read(function, asked)


def _read(function: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
    return (pulumi.runtime.invoke(function, asked).value or {}).get("outputs") or {}
