"""Parts of a stack for the component tests: config as YAML would give it, in; plans and programs, out."""

from collections.abc import Callable, Mapping
from typing import Any

from components.gke_cluster import GkeCluster, GkeClusterArgs
from components.gpu_node_pool import GpuNodePool, GpuNodePoolArgs
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from tests.components.recorder import resolved
from tests.factories import PROJECT

CLUSTER_TYPE = "gcp:container/cluster:Cluster"
POOL_TYPE = "gcp:container/nodePool:NodePool"
DNS_HOST = "gke-0123.us-central1.gke.goog"
ADDRESS = "203.0.113.9"
CA = "Q0VSVA=="


def cluster_program(plan: ClusterPlan, seen: dict[str, Any] | None = None) -> Callable[[], None]:
    """A program with one cluster; `seen` takes what its outputs resolve to."""

    def program() -> None:
        args = GkeClusterArgs(plan=plan, network="net", subnetwork="sub", node_service_account="nodes@p.iam.test")
        made = GkeCluster("cluster", args if plan.managed else GkeClusterArgs(plan=plan))
        if seen is not None:
            for key in ("cluster_name", "location", "endpoint", "ca_certificate", "kubeconfig"):
                resolved(getattr(made, key), seen, key)

    return program


def pool_program(plan: PoolPlan) -> Callable[[], None]:
    """A program with one GPU pool."""

    def program() -> None:
        GpuNodePool(
            "l4",
            GpuNodePoolArgs(
                plan=plan,
                cluster_name="llm",
                location="us-central1",
                project=PROJECT,
                node_service_account="nodes@p.iam.test",
            ),
        )

    return program


def cloud_outputs(type_: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """What Google would add to a made cluster."""
    if type_ != CLUSTER_TYPE:
        return {}
    return {
        "endpoint": ADDRESS,
        "masterAuth": {"clusterCaCertificate": CA},
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True, "endpoint": DNS_HOST}},
    }
