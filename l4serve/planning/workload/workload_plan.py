"""The plan of one workload: everything its pods and Service are made of, resolved."""

from collections.abc import Mapping
from dataclasses import dataclass

from l4serve.engines.rules import Verdict
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.remedies import Remedy
from l4serve.planning.workload.pod_resources import PodResources
from l4serve.planning.workload.rollout import Rollout
from l4serve.planning.workload.scaling import AutoscalingPlan


@dataclass(frozen=True)
class Toleration:
    """A taint that the pods bear."""

    key: str
    operator: str
    effect: str
    value: str | None = None


@dataclass(frozen=True)
class Probes:
    """HTTP probes of the engine's container; the start-up budget covers download and load of the model, in seconds."""

    path: str
    startup_period: int
    startup_failures: int

    @property
    def startup_seconds(self) -> int:
        """How long the engine may take to serve its first health check, in seconds."""
        return self.startup_period * self.startup_failures


@dataclass(frozen=True)
class Placing:
    """Where the pods may run."""

    node_pool: str | None
    packed_on: str | None
    """Pool whose room holds the replicas: the pods' own, or the largest of their compute class."""
    compute_class: str | None
    machine_type: str | None
    fixed_nodes: bool
    """Whether the nodes are what they are, in place of being made for the pods."""
    node_selector: Mapping[str, str]
    tolerations: tuple[Toleration, ...]


@dataclass(frozen=True)
class Judgement:
    """What planning thinks of the workload: its memory, the engine's rules and what could not be judged."""

    fit: Fit | None
    remedies: tuple[Remedy, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WorkloadPlan:
    """One workload, resolved: no later stage reads its config again."""

    name: str
    namespace: str
    recipe: str | None
    engine_kind: str
    engine_version: str
    contract: str
    image: str
    command: tuple[str, ...] | None
    argv: tuple[str, ...]
    env: Mapping[str, str]
    token_variable: str
    secret: SecretPlan | None
    gated: bool
    model_id: str
    revision: str | None
    served_names: tuple[str, ...]
    max_model_len: int | None
    gpus: int
    tensor_parallel_size: int
    pipeline_parallel_size: int
    replicas: int
    """Pods at the start; the autoscaler changes them where there is one."""
    autoscaling: AutoscalingPlan | None
    pod_monitoring: bool
    """Whether Managed Service for Prometheus is told to scrape the pods."""
    placing: Placing
    resources: PodResources
    probes: Probes
    rollout: Rollout
    grace_seconds: int
    metrics_path: str
    service_name: str
    service_type: str
    port: int
    labels: Mapping[str, str]
    selector: Mapping[str, str]
    pod_labels: Mapping[str, str]
    annotations: Mapping[str, str]
    judgement: Judgement

    @property
    def most_replicas(self) -> int:
        """The most pods that there may be, which the nodes must hold."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas

    @property
    def host(self) -> str:
        """DNS name of the Service inside the cluster."""
        return f"{self.service_name}.{self.namespace}.svc.cluster.local"

    @property
    def url(self) -> str:
        """URL of the Service inside the cluster."""
        return f"http://{self.host}:{self.port}"

    @property
    def port_forward(self) -> str:
        """Command that brings the Service to this machine."""
        return f"kubectl -n {self.namespace} port-forward service/{self.service_name} {self.port}:{self.port}"
