"""The cluster: made as Standard or Autopilot, or one that exists."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from l4serve.config.keys.base import (
    Cidr,
    CloudLabelKey,
    CloudLabelValue,
    ClusterName,
    ClusterVersion,
    ConfigModel,
    Label,
    PositiveInt,
    Zone,
)
from l4serve.config.keys.cluster_options import ControlPlane, Maintenance, Monitoring, Network, SystemPool
from l4serve.config.words.written_forms import IN_PROJECT, LOCATION

Location = Annotated[str, Field(pattern=LOCATION, examples=["us-central1"])]
PROJECT_ID = r"^([a-z][-a-z0-9.]*:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$"
ProjectId = Annotated[str, Field(pattern=PROJECT_ID, max_length=100, examples=["my-project"])]
ServiceAccount = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*@[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$",
        max_length=264,
        examples=["nodes@my-project.iam.gserviceaccount.com"],
    ),
]
NetworkName = Annotated[
    str,
    Field(
        pattern=(
            rf"^((https://www\.googleapis\.com/compute/[a-z0-9]+/)?{IN_PROJECT})?"
            r"((global/networks|regions/[a-z0-9-]+/subnetworks)/)?[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"
        ),
        examples=["projects/my-project/global/networks/shared"],
    ),
]


class AuthorizedNetwork(ConfigModel):
    """A range that may reach the public endpoint of the control plane."""

    cidr: Cidr
    """IPv4 range that may reach the control plane, in CIDR form."""
    name: Label | None = None
    """Whose addresses these are, in words that the console shows."""


class ManagedCluster(ConfigModel):
    """What Standard and Autopilot clusters share."""

    name: ClusterName
    """Name of the cluster in Google Cloud; another name is another cluster."""
    project: ProjectId | None = None
    """Google Cloud project that the cluster is made in and billed to; unset is `gcp:project`."""
    location: Location
    """Region such as us-central1, or for a Standard cluster a zone such as us-central1-a."""
    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """How early the cluster gets new GKE versions."""
    min_version: ClusterVersion | None = None
    """Lowest GKE version of the control plane, such as 1.33 or 1.33.5-gke.100; unset is the channel's default."""
    network: NetworkName | None = None
    """Existing VPC network that the nodes join; unset makes one for the stack."""
    subnetwork: NetworkName | None = None
    """Existing subnetwork of `network` that the nodes take their addresses from."""
    network_options: Network = Network.model_construct()
    """Ranges, NAT and the secondary ranges of an existing subnetwork."""
    private_nodes: bool = True
    """Nodes without public addresses; Cloud NAT lets them out."""
    authorized_networks: tuple[AuthorizedNetwork, ...] = ()
    """Ranges that may reach the control plane's public endpoint; none means none."""
    control_plane: ControlPlane = ControlPlane.model_construct()
    """Ways by which kubectl and Pulumi reach the control plane."""
    node_service_account: ServiceAccount | None = None
    """E-mail of an existing service account for the nodes; unset makes one of least privilege."""
    monitoring: Monitoring = Monitoring.model_construct()
    """What of the cluster Cloud Monitoring collects, GPU metrics among it."""
    maintenance: Maintenance | None = None
    """When GKE may upgrade; unset is any time."""
    database_encryption_key: str | None = Field(
        None,
        pattern=rf"^{IN_PROJECT}locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]{{1,63}}/cryptoKeys/[A-Za-z0-9_-]{{1,63}}$",
    )
    """Cloud KMS key that encrypts Secrets in etcd, in the cluster's region."""
    secret_manager: bool = False
    """Installs Secret Manager's CSI driver and its sync into Kubernetes Secrets; a token or key from there needs it."""
    gateway_api: bool = True
    """Turns on the Gateway API with GKE's classes, which `expose` needs."""
    cost_allocation: bool = True
    """Splits the bill's export by namespace and label of the workloads."""
    resource_labels: Mapping[CloudLabelKey, CloudLabelValue] = {}
    """Labels that the cloud resources carry, by which the bill can be told apart."""
    enable_apis: bool = True
    """Turns on the Google APIs that the stack needs; they stay on after a destroy."""
    deletion_protection: bool = False
    """Makes the provider refuse to delete the cluster, and Pulumi to begin a destroy, so that what serves stays too."""
    protect: bool = False
    """Makes Pulumi refuse to delete or replace the cluster, already in a preview."""


class StandardCluster(ManagedCluster):
    """A Standard cluster, whose node pools the stack defines."""

    mode: Literal["standard"]
    """Picks a Standard cluster, whose GPU pools the stack makes."""
    zones: tuple[Zone, ...] = ()
    """Zones of the system nodes; none means GKE's choice in a region, the location itself in a zone."""
    system_pool: SystemPool = SystemPool.model_construct()
    """Small pool for GKE's own pods, so that GPU pools can go down to zero."""
    image_streaming: bool = True
    """Containers start while their image still downloads (Artifact Registry images only)."""
    gcs_fuse: bool = True
    """Installs the CSI driver that mounts Cloud Storage buckets; weights read by FUSE need it."""
    max_pods_per_node: Annotated[PositiveInt, Field(ge=8, le=256)] = 64
    """Pods that the address ranges of a node allow for."""
    autoscaling_profile: Literal["BALANCED", "OPTIMIZE_UTILIZATION"] = "OPTIMIZE_UTILIZATION"
    """How readily GKE removes empty nodes; OPTIMIZE_UTILIZATION removes costly GPU nodes sooner."""


class AutopilotCluster(ManagedCluster):
    """An Autopilot cluster, which makes nodes for the pods."""

    mode: Literal["autopilot"]
    """Picks an Autopilot cluster, which makes nodes for the pods."""

    @model_validator(mode="before")
    @classmethod
    def _no_node_settings(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        own = {name for field, info in cls.model_fields.items() for name in (field, info.alias)}
        standard = {name for field, info in StandardCluster.model_fields.items() for name in (field, info.alias)}
        refused = sorted((set(values) & (standard - own)) | (set(values) & {"nodeConfig", "node_config"}))
        if refused:
            what = "is a key" if len(refused) == 1 else "are keys"
            raise ValueError(
                f"{' and '.join(refused)} {what} of nodes, which Autopilot makes by itself; "
                f"remove {' and '.join(refused)}, or set mode: standard"
            )
        return values


class ExistingCluster(ConfigModel):
    """A cluster that exists, by kubeconfig or by name."""

    mode: Literal["existing"]
    """Picks a cluster that exists; the stack makes none and deletes none."""
    kubeconfig: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Path to a kubeconfig file; unset is KUBECONFIG or ~/.kube/config."""
    context: Label | None = None
    """Context of the kubeconfig; unset is its current one."""
    name: ClusterName | None = None
    """Name of the GKE cluster to look up, in place of a kubeconfig."""
    location: Location | None = None
    """Region or zone of the cluster that is looked up by name."""
    project: ProjectId | None = None
    """Project of the cluster that is looked up by name; unset is `gcp:project`."""
    node_service_account: ServiceAccount | None = None
    """E-mail of the service account for the nodes of the stack's pools, on a cluster that is looked up."""
    private_nodes: bool | None = None
    """Whether the stack's pools on a looked-up cluster have nodes without public addresses; unset is the cluster's."""


Cluster = Annotated[StandardCluster | AutopilotCluster | ExistingCluster, Field(discriminator="mode")]
