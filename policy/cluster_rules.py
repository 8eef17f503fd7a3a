"""Rules about clusters, node pools and the credentials that reach them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from policy.model import CLUSTER, KUBERNETES_PROVIDER, NODE_POOL, SECRET, Resource, ResourceRule, at, many

WIDEST_NETWORK = 8
"""Shortest prefix of an authorised network: anything wider is the internet by another name."""
FULL_SCOPE = "cloud-platform"
DEFAULT_ACCOUNT = "-compute@developer.gserviceaccount.com"
STATIC_CREDENTIALS = ("token:", "client-key-data:", "client-certificate-data:", "password:", '"token"')


def no_public_control_plane(cluster: Resource) -> Iterator[str]:
    """The API server answers inside the network, by its DNS name, or to networks that are named and narrow."""
    access = at(cluster.props, "masterAuthorizedNetworksConfig")
    has_address = at(cluster.props, "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled") is not False
    private = at(cluster.props, "privateClusterConfig.enablePrivateEndpoint") is True
    if has_address and not private and access is None:
        yield "its control plane answers every address on the internet; set cluster.authorizedNetworks or a private one"
    for block in many(at(access, "cidrBlocks")):
        cidr = str(at(block, "cidrBlock"))
        if ipaddress.ip_network(cidr, strict=False).prefixlen < WIDEST_NETWORK:
            yield f"its control plane is open to {cidr}; name the networks that need it in cluster.authorizedNetworks"
    if at(access, "gcpPublicCidrsAccessEnabled"):
        yield "its control plane is open to every address of Google Cloud, other customers' among them"


def no_default_service_account(resource: Resource) -> Iterator[str]:
    """Nodes run as an account of their own: the project's default one may edit everything in it."""
    for path, config in _node_configs(resource):
        account = at(config, "serviceAccount")
        if account is None or account == "default" or str(account).endswith(DEFAULT_ACCOUNT):
            yield f"{path} runs nodes as the project's default service account; give them an account of their own"


def no_full_cloud_scope(resource: Resource) -> Iterator[str]:
    """Node tokens carry only the scopes that GKE's own agents need."""
    for path, config in _node_configs(resource):
        if any(str(scope).endswith(FULL_SCOPE) for scope in many(at(config, "oauthScopes"))):
            yield f"{path}.oauthScopes holds cloud-platform, which admits every API; name the scopes that nodes need"


def private_nodes(resource: Resource) -> Iterator[str]:
    """Nodes have no public addresses."""
    path = "privateClusterConfig" if resource.type == CLUSTER else "networkConfig"
    if at(resource.props, f"{path}.enablePrivateNodes") is not True:
        yield f"{path}.enablePrivateNodes is not true: its nodes get public addresses; set cluster.privateNodes: true"


def secure_boot(resource: Resource) -> Iterator[str]:
    """Nodes boot signed kernels and modules alone."""
    if resource.type == CLUSTER and at(resource.props, "enableShieldedNodes") is False:
        yield "enableShieldedNodes is false: nodes could be impersonated; remove it"
    if (
        resource.type == NODE_POOL
        and at(resource.props, "nodeConfig.shieldedInstanceConfig.enableSecureBoot") is not True
    ):
        yield "secure boot is off; let GKE install the driver (driverVersion: LATEST) and it can be on"


def network_policies_hold(cluster: Resource) -> Iterator[str]:
    """The cluster enforces the NetworkPolicies that close its pods (checkov CKV_GCP_12)."""
    if at(cluster.props, "enableAutopilot") or at(cluster.props, "networkPolicy.enabled"):
        return
    if at(cluster.props, "datapathProvider") != "ADVANCED_DATAPATH":
        yield "datapathProvider is not ADVANCED_DATAPATH: NetworkPolicies would close nothing"


def workload_identity(cluster: Resource) -> Iterator[str]:
    """Pods have identities of their own, and none of their nodes' (checkov CKV_GCP_69)."""
    if not at(cluster.props, "enableAutopilot") and not at(cluster.props, "workloadIdentityConfig.workloadPool"):
        yield "workloadIdentityConfig.workloadPool is not set: pods would act as their nodes"


def gpu_pools_tainted(pool: Resource) -> Iterator[str]:
    """Only pods that tolerate GPUs land on nodes that cost as much."""
    config = at(pool.props, "nodeConfig")
    if not many(at(config, "guestAccelerators")):
        return
    taints = [(at(taint, "key"), at(taint, "effect")) for taint in many(at(config, "taints"))]
    if ("nvidia.com/gpu", "NO_SCHEDULE") not in taints:
        yield "it has GPUs and lacks the taint nvidia.com/gpu:NO_SCHEDULE, so any pod may fill its nodes"


def no_static_token(resource: Resource) -> Iterator[str]:
    """Credentials of the cluster are fetched when they are needed and end by themselves."""
    if resource.type == SECRET:
        if at(resource.props, "type") == "kubernetes.io/service-account-token":
            yield "it is a service account token that never ends; use a projected one, or Workload Identity"
        return
    kubeconfig = str(at(resource.props, "kubeconfig") or "")
    held = [credential.strip(':"') for credential in STATIC_CREDENTIALS if credential in kubeconfig]
    if held:
        yield f"its kubeconfig holds a static {held[0]}; use exec credentials (gke-gcloud-auth-plugin)"


def _node_configs(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Every place where a resource says how nodes run, with its path."""
    if resource.type == NODE_POOL:
        yield "nodeConfig", at(resource.props, "nodeConfig")
    elif at(resource.props, "enableAutopilot"):
        path = "clusterAutoscaling.autoProvisioningDefaults"
        yield path, at(resource.props, path)
    else:
        yield "nodeConfig", at(resource.props, "nodeConfig")


CLUSTER_RULES = (
    ResourceRule(
        "no-public-control-plane",
        "The control plane answers no open address.",
        (CLUSTER,),
        no_public_control_plane,
    ),
    ResourceRule(
        "no-default-node-service-account",
        "Nodes have a service account of their own.",
        (CLUSTER, NODE_POOL),
        no_default_service_account,
    ),
    ResourceRule(
        "no-full-cloud-scope",
        "Nodes do not hold the scope cloud-platform.",
        (CLUSTER, NODE_POOL),
        no_full_cloud_scope,
    ),
    ResourceRule("private-nodes", "Nodes have no public addresses.", (CLUSTER, NODE_POOL), private_nodes),
    ResourceRule("secure-boot", "Nodes boot with secure boot.", (CLUSTER, NODE_POOL), secure_boot),
    ResourceRule("network-policies-hold", "The cluster enforces NetworkPolicies.", (CLUSTER,), network_policies_hold),
    ResourceRule("workload-identity", "Pods have identities of their own.", (CLUSTER,), workload_identity),
    ResourceRule("gpu-pools-tainted", "GPU pools keep other pods away.", (NODE_POOL,), gpu_pools_tainted),
    ResourceRule(
        "no-static-token",
        "No credential of the cluster outlives its use.",
        (KUBERNETES_PROVIDER, SECRET),
        no_static_token,
    ),
)
