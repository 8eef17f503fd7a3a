"""The typed object `gke-llm-serving:serving` of a stack."""

from collections.abc import Mapping

from pydantic import Field

from l4serve.config.keys.autoscaling import StackMonitoring
from l4serve.config.keys.base import ConfigModel, Namespace, PoolName, WorkloadName
from l4serve.config.keys.cluster import Cluster
from l4serve.config.keys.compute_class import ComputeClass
from l4serve.config.keys.exposure import Expose
from l4serve.config.keys.network_policy import NetworkPolicy
from l4serve.config.keys.node_pool import NodePool
from l4serve.config.keys.secrets import HuggingFace
from l4serve.config.keys.stated_prices import Prices
from l4serve.config.keys.workload import Workload


class StackConfig(ConfigModel):
    """One environment: a cluster, its GPU pools and the workloads on them."""

    cluster: Cluster
    """Cluster that serves the models: one that the stack makes (standard, autopilot), or one that exists."""
    node_pools: Mapping[PoolName, NodePool] = Field({}, max_length=100)
    """GPU node pools that the stack makes, by the name that workloads pick one by."""
    compute_classes: Mapping[PoolName, ComputeClass] = Field({}, max_length=100)
    """Fallback orders of ways to get GPU nodes, by the name that workloads ask for."""
    workloads: Mapping[WorkloadName, Workload] = Field({}, max_length=1000)
    """Served models, by the name that their pods and their Service get."""
    namespace: Namespace = "llm-serving"
    """Kubernetes namespace that holds the workloads, their Services and their Secrets."""
    create_namespace: bool = True
    """Makes the namespace, and deletes it with all in it when the stack goes.

    A namespace that is there and that this stack did not make is refused; false uses one that others use too.
    """
    hugging_face: HuggingFace = HuggingFace.model_construct()
    """Where pods get the Hugging Face token from, which gated models need."""
    expose: Expose | None = None
    """Gateway by which clients outside the cluster reach the workloads; unset exposes none."""
    network_policy: NetworkPolicy = NetworkPolicy.model_construct()
    """Network policies that close the pods, and what is opened beside serving."""
    monitoring: StackMonitoring = StackMonitoring.model_construct()
    """How the engines' metrics are collected, shown on a dashboard and alerted on."""
    allow_replace: tuple[str, ...] = ()
    """Protected parts that this update may replace or delete: `cluster`, or names of node pools."""
    prices: Prices = Prices.model_construct()
    """Prices that count in place of the table's, such as those of a contract."""
