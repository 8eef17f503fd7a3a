"""What the last update of the stack left, from the stack's own state."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.stack.addons import deployed_addons
from l4serve.planning.stack.exchange import read_pods
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.state_pods import state_pods

PODS_OUTPUT = "pods"
_READ_RESOURCES = "pulumi:pulumi:readStackResourceOutputs"
_STACK = "pulumi:pulumi:Stack"
_CLUSTER = "l4serve:cluster:GkeCluster"
_GKE = "gcp:container/cluster:Cluster"
_WORKLOAD = "l4serve:serving:InferenceService"
_DEPLOYMENT = "kubernetes:apps/v1:Deployment"
_PRIORITY = "kubernetes:scheduling.k8s.io/v1:PriorityClass"
"""Of pods off spot, made before their Deployment and named after it."""
_AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
_PAUSES_S = (0.1, 0.3, 1.0)
"""Between attempts: the engine writes the state in which it looks for the outputs, and may find half of a file."""


Resources = Mapping[str, Mapping[str, Any]]
"""Outputs of resources by their URNs."""


def deployed_pods(resources: Resources) -> Mapping[str, PodRequest]:
    """The pods that are deployed, by the names of their Kubernetes objects; none for a stack that never came up."""
    return read_pods(_outputs_of(_STACK, resources).get(PODS_OUTPUT))


def deployed_kubeconfig(resources: Resources) -> str | None:
    """Text or path of the kubeconfig of the cluster that the pods are on; None is the environment's."""
    return _outputs_of(_CLUSTER, resources).get("kubeconfig")


def _outputs_of(kind: str, resources: Resources) -> Mapping[str, Any]:
    return next((outputs for urn, outputs in resources.items() if kind_of(urn) == kind), {})


def those_that_exist(pods: Mapping[str, PodRequest], resources: Resources) -> Mapping[str, PodRequest]:
    """Without those whose Deployments are not in the state: an update that failed planned them and made none.

    A name without a namespace, as outputs once had them, stays.
    """
    made = _deployments(resources)
    return {name: pod for name, pod in pods.items() if "/" not in name or name in made}


def untold(pods: Mapping[str, PodRequest], resources: Resources) -> frozenset[str]:
    """Deployments, by namespace and name, that the state has and no output tells of, as a killed update writes none."""
    return frozenset(each for each in _deployments(resources) if not {each, each.rpartition("/")[2]} & pods.keys())


def sized(resources: Resources, planned: StackPlan) -> Mapping[str, PodRequest]:
    """The pods of those Deployments, by namespace and name, whose size the state holds."""
    return state_pods(_deployments(resources), autoscaled(resources), planned)


def begun(resources: Resources) -> frozenset[str]:
    """Deployments, by namespace and name, that an update began and no state has: it failed, or it was killed."""
    workloads = (urn.split("::")[3] for urn in resources if kind_of(urn) == _WORKLOAD)
    classes = (metadata["name"] for metadata, _ in _objects(resources, _PRIORITY))
    names = {*workloads, *(name.replace(".", "/", 1) for name in classes)}
    return frozenset(name for name in names - _deployments(resources).keys() if "/" in name)


def autoscaled(resources: Resources) -> Mapping[str, int]:
    """The most pods of each Deployment, by namespace and name, whose number an autoscaler sets."""
    return {
        f"{metadata['namespace']}/{spec['scaleTargetRef']['name']}": int(spec["maxReplicas"])
        for metadata, spec in _objects(resources, _AUTOSCALER)
    }


def _deployments(resources: Resources) -> dict[str, Mapping[str, Any]]:
    """`spec` of those of workloads, by namespace and name: a picker's takes no GPU."""
    of_workloads = {urn: outputs for urn, outputs in resources.items() if _is_deployment(urn)}
    return {
        f"{metadata['namespace']}/{metadata['name']}": spec for metadata, spec in _objects(of_workloads, _DEPLOYMENT)
    }


def _objects(resources: Resources, kind: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Metadata and `spec` of the objects of a kind, without those that the state has no outputs of.

    So an older version of this program adopted what a killed update was making, until a refresh.
    """
    rows = (outputs for urn, outputs in resources.items() if kind_of(urn) == kind)
    yield from ((outputs["metadata"], outputs.get("spec") or {}) for outputs in rows if outputs.get("metadata"))


def _is_deployment(urn: str) -> bool:
    return urn.split("::")[2].endswith(f"{_WORKLOAD}${_DEPLOYMENT}")


def addons_in_use(resources: Resources, planned: ClusterPlan) -> frozenset[str]:
    """Keys of `cluster` that what is deployed needs turned on; none where the stack made no cluster, or makes another.

    One that is replaced keeps all that it has until its objects are gone.
    """
    made = _outputs_of(_GKE, resources)
    if not made or _is_another(made, planned):
        return frozenset()
    kinds = {kind_of(urn).removeprefix("kubernetes:") for urn in resources}
    specs = (outputs.get("spec") or {} for urn, outputs in resources.items() if _is_deployment(urn))
    volumes = (volume for spec in specs for volume in spec.get("template", {}).get("spec", {}).get("volumes") or ())
    return deployed_addons(kinds, {volume["csi"]["driver"] for volume in volumes if volume.get("csi")})


def _is_another(made: Mapping[str, Any], planned: ClusterPlan) -> bool:
    """Whether a cluster has another place or mode than the planned one, so that Google's provider replaces it."""
    places = ((made.get(key), getattr(planned, key)) for key in ("project", "location", "name"))
    moved = any(None not in (old, new) and old != new for old, new in places)
    return moved or bool(made.get("enableAutopilot")) != (planned.mode == "autopilot")


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
