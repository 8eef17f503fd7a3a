"""The typed object `gke-llm-serving:serving` of a stack."""

from collections.abc import Mapping

from pydantic import Field

from l4serve.config.autoscaling import StackMonitoring
from l4serve.config.base import ConfigModel, Namespace, PoolName, WorkloadName
from l4serve.config.cluster import Cluster
from l4serve.config.compute_class import ComputeClass
from l4serve.config.exposure import Expose
from l4serve.config.network_policy import NetworkPolicy
from l4serve.config.node_pool import NodePool
from l4serve.config.secrets import HuggingFace
from l4serve.config.stated_prices import Prices
from l4serve.config.workload import Workload


class StackConfig(ConfigModel):
    """One environment: a cluster, its GPU pools and the workloads on them."""

    cluster: Cluster
    """Cluster to make or to use."""
    node_pools: Mapping[PoolName, NodePool] = Field({}, max_length=100)
    """GPU node pools by name."""
    compute_classes: Mapping[PoolName, ComputeClass] = Field({}, max_length=100)
    """Fallback orders of ways to get GPU nodes, by the name that workloads ask for."""
    workloads: Mapping[WorkloadName, Workload] = Field({}, max_length=1000)
    """Served models by name."""
    namespace: Namespace = "llm-serving"
    """Kubernetes namespace of the workloads."""
    create_namespace: bool = True
    """Makes the namespace, and deletes it with all in it when the stack goes.

    A namespace that is there and that this stack did not make is refused; false uses one that others use too.
    """
    hugging_face: HuggingFace = HuggingFace.model_construct()
    """Secret with the Hugging Face token."""
    expose: Expose | None = None
    """Gateway by which clients outside the cluster reach the workloads; unset exposes none."""
    network_policy: NetworkPolicy = NetworkPolicy.model_construct()
    """Network policies that close the pods, and what is opened beside serving."""
    monitoring: StackMonitoring = StackMonitoring.model_construct()
    """Scraping of the engines' metrics and a dashboard of them."""
    allow_replace: tuple[str, ...] = ()
    """Protected parts that this update may replace or delete: `cluster`, or names of node pools."""
    prices: Prices = Prices.model_construct()
    """Prices over those of the price table."""
