"""The plan of a cluster: to make, to look up, or to reach by kubeconfig."""

from __future__ import annotations

from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.config.keys.cluster_options import Maintenance, Monitoring, SystemPool
from l4serve.planning.gke.network import NetworkPlan
from l4serve.planning.values.note import Note

Endpoint = Literal["dns", "public", "private"]


@frozen(kw_only=True)
class NodeIdentityPlan:
    """The service account of the nodes."""

    create: bool
    email: str | None
    """Existing account; None when one is made."""
    account_id: str | None
    """Id of the account to make, 6 to 30 characters."""
    display_name: str
    project: str | None
    roles: tuple[str, ...] = (
        "roles/container.defaultNodeServiceAccount",
        "roles/artifactregistry.reader",
        "roles/monitoring.metricWriter",
    )


@frozen(kw_only=True)
class ControlPlanePlan:
    """Ways to the Kubernetes API."""

    dns: bool
    ip: Literal["private", "public", "none"]
    authorized_networks: tuple[tuple[str, str], ...]
    """(CIDR, display name); empty admits nobody."""
    kubeconfig_endpoint: Endpoint
    """The endpoint that the stack's own kubeconfig uses."""


@frozen(kw_only=True)
class ManagedPlan:
    """What the stack makes for a Standard or Autopilot cluster."""

    network: NetworkPlan
    identity: NodeIdentityPlan
    control_plane: ControlPlanePlan
    release_channel: str
    min_version: str | None
    monitoring: Monitoring
    maintenance: Maintenance | None
    database_encryption_key: str | None
    secret_manager: bool
    gateway_api: bool
    cost_allocation: bool
    resource_labels: tuple[tuple[str, str], ...]
    apis: tuple[str, ...]
    """Google APIs to turn on, such as container.googleapis.com; none where the config leaves that to others."""
    used_apis: tuple[str, ...]
    """Google APIs that must be on, whoever turns them on."""
    deletion_protection: bool
    system_pool: SystemPool | None
    """None on Autopilot."""
    system_nodes: int
    """System nodes per zone at creation."""
    image_streaming: bool
    gcs_fuse: bool
    max_pods_per_node: int | None
    autoscaling_profile: str | None
    hpa_profile: str | None = None
    """Profile of horizontal pod autoscaling; None leaves it to GKE."""


@frozen(kw_only=True)
class ClusterPlan:
    """A cluster to make, to look up, or to reach by kubeconfig."""

    mode: Literal["standard", "autopilot", "existing"]
    name: str | None
    """None for a cluster known only by its kubeconfig."""
    location: str | None
    region: str | None
    project: str | None
    regional: bool
    zones: tuple[str, ...]
    """Zones of the system nodes; empty leaves them to GKE."""
    identifier: str
    """Stable identity for the Kubernetes provider: known at preview, and new only when the cluster is another one."""
    managed: ManagedPlan | None
    kubeconfig: str | None
    context: str | None
    node_service_account: str | None
    """E-mail of an existing node service account, made clusters and looked-up ones alike."""
    private_nodes: bool | None
    """Whether pools of the stack have nodes without public addresses; None leaves it to a looked-up cluster."""
    protect: bool
    remarks: tuple[str, ...] = ()
    """What an operator should know before it is paid for."""

    @property
    def outlives_a_destroy(self) -> bool:
        """Whether Pulumi or Google's provider refuses to delete it: what goes with it would be left in no state."""
        return self.protect or (self.managed is not None and self.managed.deletion_protection)

    @property
    def notes(self) -> tuple[Note, ...]:
        """The remarks, after the path that they are about."""
        return tuple(Note("cluster", remark) for remark in self.remarks)

    @property
    def system_zones(self) -> tuple[str, ...] | None:
        """Zones that may have a system node; None where GKE chooses them, or the cluster is not the stack's."""
        pool = self.managed.system_pool if self.managed else None
        if pool is None:
            return None
        named = (*self.zones, *((self.location,) if self.location and not self.regional else ()))
        return pool.zones or tuple(dict.fromkeys(named)) or None

    @property
    def looked_up(self) -> bool:
        """Whether an existing cluster is found by name in the cloud."""
        return self.mode == "existing" and self.name is not None

    @property
    def ambient(self) -> bool:
        """Whether the cluster is the one that KUBECONFIG or ~/.kube/config points at."""
        return self.managed is None and self.name is None and self.kubeconfig is None
