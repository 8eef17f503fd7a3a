"""What passes every policy, and for each policy an input that fails it."""

from collections.abc import Mapping
from typing import Any

from policy.model import CLUSTER, NODE_POOL, Resource

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
ACCOUNT = "nodes@p.iam.gserviceaccount.com"
DIGEST = "sha256:" + "0" * 64


def good_cluster() -> dict[str, Any]:
    return {
        "location": "us-central1",
        "deletionProtection": True,
        "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": False},
        "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "203.0.113.0/29"}]},
        "controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": True}},
        "enableShieldedNodes": True,
        "datapathProvider": "ADVANCED_DATAPATH",
        "workloadIdentityConfig": {"workloadPool": "p.svc.id.goog"},
        "nodeConfig": {
            "serviceAccount": ACCOUNT,
            "oauthScopes": ["https://www.googleapis.com/auth/logging.write"],
            "shieldedInstanceConfig": {"enableIntegrityMonitoring": True},
            "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        },
        "releaseChannel": {"channel": "REGULAR"},
        "loggingConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]},
        "monitoringConfig": {"enableComponents": ["SYSTEM_COMPONENTS"]},
        "ipAllocationPolicy": {},
        "removeDefaultNodePool": True,
    }


def good_pool() -> dict[str, Any]:
    return {
        "location": "us-central1",
        "autoscaling": {"totalMaxNodeCount": 2},
        "networkConfig": {"enablePrivateNodes": True},
        "nodeConfig": {
            "machineType": "g2-standard-8",
            "serviceAccount": ACCOUNT,
            "oauthScopes": ["https://www.googleapis.com/auth/devstorage.read_only"],
            "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
            "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
            "shieldedInstanceConfig": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
            "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        },
        "management": {"autoRepair": True, "autoUpgrade": True},
    }


def good_deployment() -> dict[str, Any]:
    amounts = {"cpu": "2", "memory": "25Gi", "ephemeral-storage": "30Gi", "nvidia.com/gpu": "1"}
    container = {
        "name": "server",
        "image": "docker.io/vllm/vllm-openai:v0.26.0",
        "args": ["--model=google/gemma-7b", "--max-num-batched-tokens=2048"],
        "env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}}],
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    selector = {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    confined = {"seccompProfile": {"type": "RuntimeDefault"}}
    pod = {"containers": [container], "nodeSelector": selector, "securityContext": confined}
    return {"spec": {"replicas": 1, "template": {"spec": pod}}}


GOOD = {CLUSTER: good_cluster, NODE_POOL: good_pool, DEPLOYMENT: good_deployment}
CONTAINER = "spec.template.spec.containers.0"
KUBECONFIG = "apiVersion: v1\nusers:\n- name: u\n  user:\n    token: abc\n"

SHIELDED = "nodeConfig.shieldedInstanceConfig"

# rule, type, path of the input, its value (DROP removes it), what the message must name
DROP = object()
BAD: tuple[tuple[str, str, str, Any, str], ...] = (
    ("no-public-control-plane", CLUSTER, "masterAuthorizedNetworksConfig", DROP, "every address on the internet"),
    (
        "no-public-control-plane",
        CLUSTER,
        "masterAuthorizedNetworksConfig.cidrBlocks.0.cidrBlock",
        "0.0.0.0/0",
        "0.0.0.0/0",
    ),
    ("no-public-control-plane", CLUSTER, "masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled", True, "Google"),
    ("no-default-node-service-account", NODE_POOL, "nodeConfig.serviceAccount", DROP, "default service account"),
    ("no-default-node-service-account", NODE_POOL, "nodeConfig.serviceAccount", "default", "default service account"),
    (
        "no-default-node-service-account",
        CLUSTER,
        "nodeConfig.serviceAccount",
        "1-compute@developer.gserviceaccount.com",
        "own",
    ),
    ("no-default-node-service-account", CLUSTER, "enableAutopilot", True, "autoProvisioningDefaults"),
    (
        "no-full-cloud-scope",
        NODE_POOL,
        "nodeConfig.oauthScopes",
        ["https://www.googleapis.com/auth/cloud-platform"],
        "scope",
    ),
    ("no-full-cloud-scope", CLUSTER, "nodeConfig.oauthScopes.0", "cloud-platform", "oauthScopes"),
    ("private-nodes", NODE_POOL, "networkConfig", DROP, "public addresses"),
    ("private-nodes", CLUSTER, "privateClusterConfig.enablePrivateNodes", False, "cluster.privateNodes: true"),
    ("secure-boot", NODE_POOL, "nodeConfig.shieldedInstanceConfig.enableSecureBoot", False, "secure boot is off"),
    ("secure-boot", CLUSTER, "enableShieldedNodes", False, "enableShieldedNodes"),
    ("network-policies-hold", CLUSTER, "datapathProvider", DROP, "would close nothing"),
    ("workload-identity", CLUSTER, "workloadIdentityConfig", DROP, "act as their nodes"),
    ("kept-up-to-date", CLUSTER, "releaseChannel", DROP, "cluster.releaseChannel"),
    ("kept-up-to-date", CLUSTER, "releaseChannel.channel", "UNSPECIFIED", "cluster.releaseChannel"),
    ("kept-up-to-date", NODE_POOL, "management.autoUpgrade", False, "autoUpgrade: true"),
    ("repaired-nodes", NODE_POOL, "management.autoRepair", False, "autoRepair: true"),
    ("integrity-monitoring", NODE_POOL, f"{SHIELDED}.enableIntegrityMonitoring", DROP, "boot would not show"),
    ("integrity-monitoring", CLUSTER, f"{SHIELDED}.enableIntegrityMonitoring", False, "boot would not show"),
    ("metadata-server", NODE_POOL, "nodeConfig.workloadMetadataConfig", DROP, "GKE_METADATA"),
    ("metadata-server", CLUSTER, "nodeConfig.workloadMetadataConfig.mode", "GCE_METADATA", "their node's token"),
    ("no-old-ways-in", CLUSTER, "enableLegacyAbac", True, "enableLegacyAbac"),
    ("no-old-ways-in", CLUSTER, "masterAuth.clientCertificateConfig.issueClientCertificate", True, "certificate"),
    ("no-old-ways-in", CLUSTER, "enableKubernetesAlpha", True, "30 days"),
    ("watched", CLUSTER, "loggingConfig.enableComponents", [], "loggingConfig"),
    ("watched", CLUSTER, "monitoringService", "none", "monitoringConfig"),
    ("vpc-native", CLUSTER, "ipAllocationPolicy", DROP, "ipAllocationPolicy"),
    ("vpc-native", CLUSTER, "networkingMode", "ROUTES", "past the network's firewall"),
    ("no-default-pool", CLUSTER, "removeDefaultNodePool", DROP, "pools of their own"),
    ("no-default-pool", CLUSTER, "nodePools", [{"name": "default"}], "pools of their own"),
    ("confined-pods", DEPLOYMENT, "spec.template.spec.hostNetwork", True, "hostNetwork"),
    ("confined-pods", DEPLOYMENT, "spec.template.spec.securityContext", DROP, "seccompProfile"),
    ("confined-pods", DEPLOYMENT, f"{CONTAINER}.securityContext.allowPrivilegeEscalation", DROP, "gain rights"),
    ("confined-pods", DEPLOYMENT, f"{CONTAINER}.securityContext.privileged", True, "gain rights"),
    ("confined-pods", DEPLOYMENT, f"{CONTAINER}.securityContext.capabilities", DROP, "drop ALL"),
    ("gpu-pools-tainted", NODE_POOL, "nodeConfig.taints", [], "nvidia.com/gpu:NO_SCHEDULE"),
    ("gpu-pools-tainted", NODE_POOL, "nodeConfig.taints.0.effect", "PREFER_NO_SCHEDULE", "nvidia.com/gpu:NO_SCHEDULE"),
    ("requests-and-limits", DEPLOYMENT, f"{CONTAINER}.resources", DROP, "requests.cpu"),
    ("requests-and-limits", DEPLOYMENT, f"{CONTAINER}.resources.limits.memory", DROP, "limits.memory"),
    ("pinned-images", DEPLOYMENT, f"{CONTAINER}.image", "vllm/vllm-openai:latest", "vllm/vllm-openai:latest"),
    ("pinned-images", DEPLOYMENT, f"{CONTAINER}.image", "vllm/vllm-openai", "digest or an exact tag"),
    ("no-plain-secrets", DEPLOYMENT, f"{CONTAINER}.env.0", {"name": "HF_TOKEN", "value": "x"}, "HF_TOKEN"),
    ("no-plain-secrets", DEPLOYMENT, f"{CONTAINER}.args.0", "--api-key=hf_" + "a" * 30, "args[0]"),
    (
        "no-plain-secrets",
        DEPLOYMENT,
        "metadata.annotations.note",
        "-----BEGIN RSA PRIVATE KEY-----",
        "annotations.note",
    ),
)


def edited(kind: str, path: str, value: Any) -> Resource:
    props = GOOD[kind]()
    at: Any = props
    steps: list[Any] = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps[:-1]:
        at = at[step] if isinstance(step, int) else at.setdefault(step, {})
    if value is DROP:
        del at[steps[-1]]
    else:
        at[steps[-1]] = value
    return Resource(kind, "it", props, protect=True, stack="dev")


def on(stack: str, kind: str, props: Mapping[str, Any], *, protect: bool = True) -> Resource:
    return Resource(kind, f"{kind.rsplit(':', 1)[-1].lower()}", props, protect=protect, stack=stack)
