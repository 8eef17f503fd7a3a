"""The plan of one workload: everything its pods and Service are made of, resolved."""

from collections.abc import Mapping

from l4serve.config.frozen import frozen
from l4serve.config.keys.container_env import EnvSource
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.releases.contract import Contract
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.models.purpose import Purpose
from l4serve.planning.values.note import Note
from l4serve.planning.workload.alerting import AlertsPlan
from l4serve.planning.workload.judgement.judging import Judgement
from l4serve.planning.workload.judgement.prospect import Prospect
from l4serve.planning.workload.nodes.node_choice import Placing
from l4serve.planning.workload.pods.encryption import TlsPlan
from l4serve.planning.workload.pods.lifecycle import Lifecycle
from l4serve.planning.workload.pods.pod_guard import PodGuard
from l4serve.planning.workload.pods.pod_identity import PodIdentity
from l4serve.planning.workload.pods.pod_resources import PodResources
from l4serve.planning.workload.pods.storage import StoragePlan
from l4serve.planning.workload.reach.network_guard import NetworkGuard
from l4serve.planning.workload.reach.route_plan import RoutePlan
from l4serve.planning.workload.rollout import Rollout
from l4serve.planning.workload.scaling import AutoscalingPlan, autoscaling_notes

FIRST_FREE_PORT = 1024
"""Below it Linux lets root alone listen, unless told otherwise."""


@frozen(kw_only=True)
class EnginePlan:
    """The engine's release and what its container runs."""

    kind: str
    version: str
    contract: Contract
    """The contract in force, which may be that of an older release."""
    image: str
    command: tuple[str, ...] | None
    """Entry point; None leaves the image's own."""
    argv: tuple[str, ...]
    env: Mapping[str, str]
    env_sources: Mapping[str, EnvSource]
    """Variables that Secrets and ConfigMaps give."""
    key_source: SecretPlan | None
    """Where the key lies that clients must send; None where the server asks for none."""

    @property
    def api_key(self) -> bool:
        """Whether clients must send a key."""
        return self.key_source is not None


@frozen(kw_only=True)
class ModelPlan:
    """The model as it is served."""

    id: str
    revision: str | None
    gated: bool
    """Whether the Hub wants a token for it."""
    served_names: tuple[str, ...]
    adapters: tuple[str, ...]
    """Names of the adapters that the engine loads as it starts."""
    purpose: Purpose
    """What the server answers with: text, or vectors, scores, classes or rewards."""
    max_model_len: int | None
    """Prompt and output together, in tokens; None where neither the config nor the model says."""


@frozen(kw_only=True)
class ScalePlan:
    """How many pods there are, and how they change."""

    replicas: int
    """Pods at the start; the autoscaler changes them where there is one."""
    autoscaling: AutoscalingPlan | None
    rollout: Rollout
    on_demand: int = 0
    """Pods among them that never run on spot nodes, by a Deployment of their own."""

    @property
    def off_spot(self) -> bool:
        """Whether some pods never run on spot nodes, so that the others rather do."""
        return self.on_demand > 0

    @property
    def most_replicas(self) -> int:
        """The most pods that there may be, which the nodes must hold."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas


@frozen(kw_only=True)
class ServicePlan:
    """The Kubernetes Service in front of the pods, and what is scraped of them."""

    name: str
    namespace: str
    type: str
    port: int
    metrics_path: str
    tls: TlsPlan | None
    """TLS of the pods themselves; None where they speak plain HTTP."""
    pod_monitoring: bool
    """Whether Managed Service for Prometheus is told to scrape the pods."""

    @property
    def host(self) -> str:
        """DNS name of the Service inside the cluster."""
        return f"{self.name}.{self.namespace}.svc.cluster.local"

    @property
    def url(self) -> str:
        """URL of the Service inside the cluster."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def scheme(self) -> str:
        """What the pods speak: http or https."""
        return "https" if self.tls else "http"

    @property
    def port_forward(self) -> str:
        """Command that brings the Service to this machine."""
        return f"kubectl -n {self.namespace} port-forward service/{self.name} {self.port}:{self.port}"


@frozen(kw_only=True)
class ObjectMetadata:
    """Labels and annotations of the workload's Kubernetes objects."""

    labels: Mapping[str, str]
    selector: Mapping[str, str]
    """Of the Deployment, which never changes."""
    pod_labels: Mapping[str, str]
    serving: Mapping[str, str]
    """What Service, disruption budget and scraping select: the pods of every Deployment of the workload."""
    annotations: Mapping[str, str]


@frozen(kw_only=True)
class WorkloadPlan:
    """One workload, resolved: no later stage reads its config again."""

    name: str
    object_name: str
    """Name of its Kubernetes objects and of its resources in Pulumi: the first one that it was deployed under."""
    namespace: str
    recipe: str | None
    engine: EnginePlan
    model: ModelPlan
    layout: GpuLayout
    secret: SecretPlan | None
    """Where the pods find the Hugging Face token; None where the stack has none."""
    scale: ScalePlan
    placing: Placing
    resources: PodResources
    storage: StoragePlan
    """What the pods mount beside /dev/shm and the token."""
    lifecycle: Lifecycle
    lasting: Lifecycle
    """The life of the pods that no spot node may have: they have longer to end."""
    service: ServicePlan
    identity: PodIdentity
    guard: PodGuard
    route: RoutePlan | None
    """Where the stack's gateway serves it; None where nothing exposes it."""
    network: NetworkGuard | None
    """What the pods' NetworkPolicy lets through; None where the stack makes none."""
    metadata: ObjectMetadata
    judgement: Judgement
    alerts: AlertsPlan | None
    """Who is told what; None where the stack asks for no alerts."""
    prospect: Prospect
    """How fast it will be, and what its tokens cost."""

    @property
    def token_variable(self) -> str | None:
        """Variables that carry the Hugging Face token; None where the pods have none, or read a file."""
        has_none = self.secret is None or self.secret.token_file
        return None if has_none else " and ".join(self.engine.contract.token_envs)

    @property
    def low_port(self) -> bool:
        """Whether the engine listens on a port that Linux keeps for root, as another user."""
        return self.service.port < FIRST_FREE_PORT and self.guard.user is not None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What an operator should know before the workload runs."""
        path = f"workloads.{self.name}"
        scaling = self.scale.autoscaling
        return (
            *(
                (Note(f"{path}.autoscaling", text) for text in autoscaling_notes(scaling, self.lifecycle.start))
                if scaling
                else ()
            ),
            *(Note(path, text) for text in self.judgement.notes),
            *(Note(f"{path}.podSecurity", text) for text in self.guard.notes),
            *(Note(path, text) for text in (self.network.notes if self.network else ())),
            *(Note(f"{path}.expose", text) for text in (self.route.notes if self.route else ())),
            *(Note(f"{path}.{v.field}", f"{v.reason} [{v.rule_id}]", v.severity) for v in self.judgement.verdicts),
        )
