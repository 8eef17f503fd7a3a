"""What the last update of the stack left, from the stack's own state."""

import time
from collections.abc import Mapping
from typing import Any

import pulumi

from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.stack.exchange import read_pods

PODS_OUTPUT = "pods"
_READ_RESOURCES = "pulumi:pulumi:readStackResourceOutputs"
_STACK = "pulumi:pulumi:Stack"
_DEPLOYMENT = "kubernetes:apps/v1:Deployment"
_PAUSES_S = (0.1, 0.3, 1.0)
"""Between attempts: the engine writes the state in which it looks for the outputs, and may find half of a file."""


Resources = Mapping[str, Mapping[str, Any]]
"""Outputs of resources by their URNs."""


def deployed_pods(resources: Resources) -> Mapping[str, PodRequest]:
    """The pods that are deployed, by the names of their Kubernetes objects; none for a stack that never came up."""
    told = (outputs.get(PODS_OUTPUT) for urn, outputs in resources.items() if kind_of(urn) == _STACK)
    return read_pods(next(told, None))


def those_that_exist(pods: Mapping[str, PodRequest], resources: Resources) -> Mapping[str, PodRequest]:
    """Without those whose Deployments are not in the state: an update that failed planned them and made none.

    A name without a namespace, as outputs once had them, stays.
    """
    there = [outputs["metadata"] for urn, outputs in resources.items() if kind_of(urn) == _DEPLOYMENT]
    made = {f"{each['namespace']}/{each['name']}" for each in there}
    return {name: pod for name, pod in pods.items() if "/" not in name or name in made}


def kind_of(urn: str) -> str:
    """The type of a resource without those of its parents."""
    return urn.split("::")[2].rpartition("$")[2]


def deployed_resources() -> Resources:
    """What the state of the stack holds; nothing for a stack that never came up."""
    asked = {"stackName": f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"}
    for pause_s in _PAUSES_S:
        try:
            return _read(asked)
        except Exception as error:  # Pulumi raises nothing narrower
            pulumi.log.debug(f"{error}; asked again in {pause_s} s")
            time.sleep(pause_s)
    return _read(asked)


def _read(asked: Mapping[str, str]) -> Resources:
    found = (pulumi.runtime.invoke(_READ_RESOURCES, asked).value or {}).get("outputs") or {}
    return {urn: row["outputs"] for urn, row in found.items()}
