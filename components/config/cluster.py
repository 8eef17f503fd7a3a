"""The cluster: made as Standard or Autopilot, or one that exists."""

from typing import Annotated, Literal

from pydantic import Field

from components.config.base import ClusterName, ConfigModel

Location = Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+[0-9]+(-[a-z])?$")]


class AuthorizedNetwork(ConfigModel):
    """A range that may reach the public endpoint of the control plane."""

    cidr: str = Field(pattern=r"^\d+\.\d+\.\d+\.\d+/\d+$")
    """IPv4 range."""
    name: str | None = None
    """What the range is."""


class ManagedCluster(ConfigModel):
    """What Standard and Autopilot clusters share."""

    name: ClusterName
    """Name of the cluster."""
    project: str | None = Field(None, pattern=r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$")
    """Google Cloud project; unset is `gcp:project`."""
    location: Location
    """Region such as us-central1, or for a Standard cluster a zone such as us-central1-a."""
    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """How early the cluster gets new GKE versions."""
    network: str | None = None
    """Existing VPC network; unset makes one."""
    subnetwork: str | None = None
    """Existing subnetwork of `network`."""
    private_nodes: bool = True
    """Nodes without public addresses; Cloud NAT lets them out."""
    authorized_networks: tuple[AuthorizedNetwork, ...] = ()
    """Ranges that may reach the control plane's public endpoint; none means none."""
    deletion_protection: bool = False
    """Refusal of the provider to delete the cluster."""


class StandardCluster(ManagedCluster):
    """A Standard cluster, whose node pools the stack defines."""

    mode: Literal["standard"]
    """How the cluster comes to be."""


class AutopilotCluster(ManagedCluster):
    """An Autopilot cluster, which makes nodes for the pods."""

    mode: Literal["autopilot"]
    """How the cluster comes to be."""


class ExistingCluster(ConfigModel):
    """A cluster that exists, by kubeconfig or by name."""

    mode: Literal["existing"]
    """How the cluster comes to be."""
    kubeconfig: str | None = None
    """Path to a kubeconfig file; unset is KUBECONFIG or ~/.kube/config."""
    context: str | None = None
    """Context of the kubeconfig; unset is its current one."""
    name: ClusterName | None = None
    """Cluster to look up in place of a kubeconfig."""
    location: Location | None = None
    """Location of the cluster to look up."""
    project: str | None = None
    """Project of the cluster to look up; unset is `gcp:project`."""


Cluster = Annotated[StandardCluster | AutopilotCluster | ExistingCluster, Field(discriminator="mode")]
