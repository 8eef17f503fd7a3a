"""Rules about how a cluster is kept: upgraded, repaired, watched, and closed to old ways in.

They and others answer checkov's checks of GKE; data/checkov.yaml says which answers which.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy.model import CLUSTER, NODE_POOL, Resource, ResourceRule, at, many

SYSTEM = "SYSTEM_COMPONENTS"


def kept_up_to_date(resource: Resource) -> Iterator[str]:
    """Google's fixes arrive: by a release channel, and on nodes that are upgraded."""
    if resource.type == CLUSTER:
        if at(resource.props, "releaseChannel.channel") in (None, "UNSPECIFIED"):
            yield "releaseChannel.channel is not set: its version would stay as it is; set cluster.releaseChannel"
    elif at(resource.props, "management.autoUpgrade") is not True:
        yield "management.autoUpgrade is not true: its nodes keep known weaknesses; set autoUpgrade: true"


def repaired_nodes(pool: Resource) -> Iterator[str]:
    """GKE replaces nodes that stopped answering. Flex-start nodes end by themselves, and GKE takes no repair there."""
    if at(pool.props, "nodeConfig.flexStart") is not True and at(pool.props, "management.autoRepair") is not True:
        yield "management.autoRepair is not true: a node that hangs keeps its GPUs and is paid; set autoRepair: true"


def nodes_measure_their_boot(resource: Resource) -> Iterator[str]:
    """A changed boot sequence of a node shows."""
    if resource.type == CLUSTER and at(resource.props, "enableAutopilot"):
        return
    if at(resource.props, "nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring") is not True:
        yield "nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring is not true: a changed boot would not show"


def metadata_server(resource: Resource) -> Iterator[str]:
    """Pods reach GKE's metadata server, not Compute Engine's with their node's token."""
    if resource.type == CLUSTER and at(resource.props, "enableAutopilot"):
        return
    if at(resource.props, "nodeConfig.workloadMetadataConfig.mode") != "GKE_METADATA":
        yield "nodeConfig.workloadMetadataConfig.mode is not GKE_METADATA: pods could take their node's token"


def no_old_ways_in(cluster: Resource) -> Iterator[str]:
    """Only RBAC decides what a caller may do, and no certificate admits one for years."""
    if at(cluster.props, "enableLegacyAbac"):
        yield "enableLegacyAbac is true: it grants every service account much, whatever RBAC says; remove it"
    if at(cluster.props, "masterAuth.clientCertificateConfig.issueClientCertificate"):
        yield "masterAuth issues a client certificate, which nobody can take back; remove it"
    if at(cluster.props, "enableKubernetesAlpha"):
        yield "enableKubernetesAlpha is true: such a cluster has no upgrades and is deleted after 30 days; remove it"


def watched(cluster: Resource) -> Iterator[str]:
    """The cluster's own parts write logs and metrics."""
    for service, config in (("loggingService", "loggingConfig"), ("monitoringService", "monitoringConfig")):
        components = at(cluster.props, f"{config}.enableComponents")
        if at(cluster.props, service) == "none" or (components is not None and SYSTEM not in many(components)):
            yield f"{config}.enableComponents lacks {SYSTEM}: what happens in the cluster would leave no trace"


def vpc_native(cluster: Resource) -> Iterator[str]:
    """Pods have addresses of the network, which its firewall and its routes know."""
    if at(cluster.props, "ipAllocationPolicy") is None or at(cluster.props, "networkingMode") == "ROUTES":
        yield "ipAllocationPolicy is not set: pods would be reached by routes, past the network's firewall"


def no_default_pool(cluster: Resource) -> Iterator[str]:
    """Every pool is a resource of its own: one inside the cluster replaces the cluster with each change."""
    if at(cluster.props, "enableAutopilot"):
        return
    if at(cluster.props, "nodePools") or at(cluster.props, "removeDefaultNodePool") is not True:
        yield "it keeps a node pool of its own; set removeDefaultNodePool and make pools of their own"


HARDENING_RULES = (
    ResourceRule(
        "kept-up-to-date", "Cluster and nodes get Google's fixes by themselves.", (CLUSTER, NODE_POOL), kept_up_to_date
    ),
    ResourceRule("repaired-nodes", "Nodes that stop answering are replaced.", (NODE_POOL,), repaired_nodes),
    ResourceRule("integrity-monitoring", "Nodes measure their boot.", (CLUSTER, NODE_POOL), nodes_measure_their_boot),
    ResourceRule("metadata-server", "Pods get no token of their node.", (CLUSTER, NODE_POOL), metadata_server),
    ResourceRule("no-old-ways-in", "Only RBAC decides, without certificates.", (CLUSTER,), no_old_ways_in),
    ResourceRule("watched", "The cluster's own parts write logs and metrics.", (CLUSTER,), watched),
    ResourceRule("vpc-native", "Pods have addresses of the network.", (CLUSTER,), vpc_native),
    ResourceRule("no-default-pool", "Node pools are resources of their own.", (CLUSTER,), no_default_pool),
)
