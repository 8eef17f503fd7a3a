"""Groups of cluster settings: network ranges, ways to the control plane, system pool, monitoring, maintenance."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from l4serve.config.keys.base import Cidr, CloudName, ConfigModel, Label, PositiveInt, Zone


def _of_the_calendar(value: str) -> str:
    try:
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise ValueError(f"{value!r} is not a time of the calendar") from None
    return value


_Timestamp = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", examples=["2025-01-04T02:00:00Z"]),
    AfterValidator(_of_the_calendar),
]


class Network(ConfigModel):
    """Address ranges of nodes, pods and Services, and how nodes reach the internet."""

    nodes_cidr: Cidr = "10.0.0.0/20"
    """Range of the nodes in a network that the stack makes."""
    pods_cidr: Cidr = "10.4.0.0/14"
    """Range of the pods in a network that the stack makes."""
    services_cidr: Cidr = "10.8.0.0/20"
    """Range of the Services in a network that the stack makes."""
    pods_range: CloudName | None = None
    """Name of the secondary range for pods of an existing subnetwork; unset lets GKE make one."""
    services_range: CloudName | None = None
    """Name of the secondary range for Services of an existing subnetwork; unset lets GKE make one."""
    nat: bool | None = None
    """Cloud NAT for private nodes; unset is on in a network that the stack makes, off in an existing one."""
    nat_addresses: Annotated[PositiveInt, Field(le=50)] = 1
    """Reserved addresses that the nodes' outgoing traffic comes from, each with 64,512 ports."""


class ControlPlane(ConfigModel):
    """Ways to reach the Kubernetes API."""

    dns_endpoint: bool = True
    """DNS name that IAM guards, reachable from outside the network without opening an address."""
    ip_endpoint: Literal["private", "public", "none"] | None = None
    """IP address of the control plane; unset is public with `authorizedNetworks`, else private."""


_MACHINE = r"^[a-z0-9]+-[a-z0-9-]+$"


class SystemPool(ConfigModel):
    """The small pool that GKE's own pods run on, beside the GPU pools."""

    machine_type: str = Field("e2-standard-4", pattern=_MACHINE)
    """Machine type of the nodes, one without GPUs."""
    fallback_machine_types: tuple[Annotated[str, Field(pattern=_MACHINE)], ...] = ()
    """Machine types of further pools, with no node until the first has none left to give."""
    zones: tuple[Zone, ...] = ()
    """Zones of the nodes; unset is the cluster's own, where GPUs may be all that is left."""
    min_nodes: Annotated[PositiveInt, Field(le=100)] = 1
    """Fewest nodes, all zones together; they cost at any hour."""
    max_nodes: Annotated[PositiveInt, Field(le=100)] = 3
    """Most nodes, all zones together; GKE's pods that need more of them wait."""
    disk_size_gb: Annotated[PositiveInt, Field(ge=20, le=65536)] = 50
    """Size of each node's boot disk in GB."""

    @model_validator(mode="after")
    def _minimum_below_maximum(self) -> Self:
        if self.min_nodes > self.max_nodes:
            bounds = f"minNodes {self.min_nodes} is above maxNodes {self.max_nodes}"
            raise ValueError(f"{bounds}; set maxNodes: {self.min_nodes}, or minNodes: {self.max_nodes}")
        return self


class Monitoring(ConfigModel):
    """What of the cluster Cloud Monitoring collects."""

    managed_prometheus: bool = True
    """Runs Google Cloud Managed Service for Prometheus, which PodMonitoring objects need."""
    dcgm: bool = True
    """Collects GPU metrics by NVIDIA's Data Center GPU Manager; it needs managed Prometheus."""
    components: tuple[
        Literal[
            "APISERVER", "SCHEDULER", "CONTROLLER_MANAGER", "STORAGE", "HPA", "POD", "DAEMONSET", "DEPLOYMENT",
            "STATEFULSET", "CADVISOR", "KUBELET", "JOBSET",
        ],
        ...,
    ] = ()  # fmt: skip
    """Parts of the cluster whose metrics are collected beside SYSTEM_COMPONENTS."""


class MaintenanceExclusion(ConfigModel):
    """A span of time in which GKE starts no upgrade."""

    name: Label
    """Name of the span in the Cloud console, for people."""
    start: _Timestamp
    """Start of the span, RFC 3339 in UTC."""
    end: _Timestamp
    """End of the span, RFC 3339 in UTC."""
    scope: Literal["NO_UPGRADES", "NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"] = "NO_MINOR_OR_NODE_UPGRADES"
    """Which upgrades wait until the span is over: all, those of minor versions, or those that touch nodes too."""


class Maintenance(ConfigModel):
    """When GKE may upgrade control plane and nodes."""

    start: _Timestamp = "2025-01-04T02:00:00Z"
    """Start of the first window, RFC 3339 in UTC; the date only anchors the recurrence."""
    end: _Timestamp = "2025-01-04T10:00:00Z"
    """End of the first window, RFC 3339 in UTC."""
    recurrence: str = Field(
        "FREQ=WEEKLY;BYDAY=SA,SU",
        pattern=r"^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9,+-]+)*$",
        examples=["FREQ=WEEKLY;BYDAY=SA,SU"],
    )
    """How often the window comes again, as an RFC 5545 rule."""
    exclusions: tuple[MaintenanceExclusion, ...] = ()
    """Spans of time in which GKE starts no upgrade."""
