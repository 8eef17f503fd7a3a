"""Edits of a base stack, by what each does to the program's resources."""

from collections.abc import Mapping
from typing import Any

from tests import factories

BASE = factories.serving(
    {
        "qwen": factories.workload(
            "Qwen/Qwen2.5-7B-Instruct", engine={"maxModelLen": 8192}, nodePool="l4", extraEnv={"A": "1"}
        )
    },
    cluster=factories.STANDARD,
)
POOL, WORKLOAD = "nodePools.l4", "workloads.qwen"
CLASSED = {
    "computeClasses": {"l4s": {"priorities": [{"nodePool": "l4"}]}},
    f"{WORKLOAD}.nodePool": None,
    f"{WORKLOAD}.computeClass": "l4s",
}
SPARE = {"nodePools.spare": {"machineType": "g2-standard-8", "maxNodes": 4}}
LARGER = {"nodePools.spare": {"machineType": "g2-standard-12", "maxNodes": 4}}
MADE = {
    "computeClasses": {"l4s": {"priorities": [{"machineType": "g2-standard-8"}]}},
    f"{WORKLOAD}.nodePool": None,
    f"{WORKLOAD}.computeClass": "l4s",
}
OFFERED = {"computeClasses": {"l4s": {"priorities": [{"nodePool": "l4"}]}}, f"{WORKLOAD}.nodePool": None} | SPARE
ALLOWED = {f"{WORKLOAD}.allow": [{"rule": "vllm-eager", "reason": "tried"}]}
WIDE = {f"{POOL}.machineType": "g2-standard-24"}
RESERVED = {f"{POOL}.reservation": {"affinity": "specific", "name": "r1"}, f"{POOL}.zones": ["us-central1-a"]}

T4 = {
    f"{POOL}.machineType": "n1-standard-16",
    f"{POOL}.accelerator": {"type": "nvidia-tesla-t4", "count": 1},
    f"{WORKLOAD}.fit": "warn",
    f"{WORKLOAD}.engine.dtype": "float16",
}

SOURCE = f"{WORKLOAD}.model.source"
BUCKET = {SOURCE: {"kind": "bucket", "uri": "gs://models/qwen"}}
CLAIM = {SOURCE: {"kind": "claim", "claim": "models"}}
DISK = {SOURCE: {"kind": "hyperdisk"}, f"{POOL}.zones": ["us-central1-a"]}
BOOT_DISK = {
    SOURCE: {"kind": "bootDisk"},
    f"{POOL}.secondaryBootDisk": {"image": "projects/my-project/global/images/models", "mode": None},
}
SOURCES: tuple[tuple[str, Any, Mapping[str, Any]], ...] = (
    (f"{SOURCE}.uri", "gs://models/other", BUCKET),
    (f"{SOURCE}.reader", "streamer", BUCKET),
    (f"{SOURCE}.cache", "memory", BUCKET),
    (f"{SOURCE}.manageAccess", False, BUCKET),
    (f"{SOURCE}.claim", "other", CLAIM),
    (f"{SOURCE}.path", "qwen", CLAIM),
    (f"{SOURCE}.access", "ReadWriteOnce", CLAIM),
    (f"{SOURCE}.path", "qwen", BOOT_DISK),
    (f"{SOURCE}.sizeGb", 50, DISK),
    (f"{SOURCE}.throughputMibps", 800, DISK),
)

# Path of the edit, the value after it, and what the stack needs before it.
PROBES: tuple[tuple[str, Any, Mapping[str, Any]], ...] = (
    *SOURCES,
    ("cluster.name", "two", {}),
    ("cluster.project", "other-project", {}),
    ("cluster.location", "us-east1", {}),
    ("cluster.releaseChannel", "STABLE", {}),
    ("cluster.minVersion", "1.33", {}),
    ("cluster.network", "vpc-2", {"cluster.network": "vpc-1", "cluster.subnetwork": "sub"}),
    ("cluster.subnetwork", "sub-2", {"cluster.network": "vpc-1", "cluster.subnetwork": "sub"}),
    ("cluster.networkOptions.nodesCidr", "10.0.0.0/19", {}),
    ("cluster.networkOptions.podsCidr", "10.12.0.0/14", {}),
    ("cluster.networkOptions.servicesCidr", "10.9.0.0/20", {}),
    ("cluster.networkOptions.nat", False, {}),
    (
        "cluster.authorizedNetworks[0].cidr",
        "203.0.113.0/28",
        {"cluster.authorizedNetworks": [{"cidr": "203.0.113.0/29"}]},
    ),
    ("cluster.authorizedNetworks[0].name", "office", {"cluster.authorizedNetworks": [{"cidr": "203.0.113.0/29"}]}),
    ("cluster.controlPlane.dnsEndpoint", False, {"cluster.authorizedNetworks": [{"cidr": "203.0.113.0/29"}]}),
    ("cluster.controlPlane.ipEndpoint", "none", {}),
    ("cluster.nodeServiceAccount", "nodes@my-project.iam.gserviceaccount.com", {}),
    ("cluster.monitoring.dcgm", False, {}),
    ("cluster.monitoring.components", ["POD"], {}),
    ("cluster.maintenance.recurrence", "FREQ=WEEKLY;BYDAY=FR,SA,SU", {"cluster.maintenance": {}}),
    ("cluster.databaseEncryptionKey", "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k", {}),
    ("cluster.secretManager", True, {}),
    ("cluster.gatewayApi", False, {}),
    ("cluster.costAllocation", False, {}),
    ("cluster.resourceLabels", {"team": "ml"}, {}),
    ("cluster.deletionProtection", True, {}),
    ("cluster.protect", True, {}),
    ("cluster.zones", ["us-central1-a", "us-central1-b"], {}),
    ("cluster.systemPool.machineType", "e2-standard-8", {}),
    ("cluster.systemPool.maxNodes", 5, {}),
    ("cluster.systemPool.diskSizeGb", 80, {}),
    ("cluster.privateNodes", False, {}),
    ("cluster.imageStreaming", False, {}),
    ("cluster.gcsFuse", False, {}),
    ("cluster.maxPodsPerNode", 32, {}),
    ("cluster.autoscalingProfile", "BALANCED", {}),
    (f"{POOL}.machineType", "g2-standard-12", {}),
    (f"{POOL}.minNodes", 1, {}),
    (f"{POOL}.maxNodes", 6, {}),
    (f"{POOL}.provisioning", "flex-start", {}),
    (f"{POOL}.spot", True, {}),
    (f"{POOL}.reservation.name", "r2", RESERVED),
    (f"{POOL}.placement.policyName", "close", {f"{POOL}.placement": {}, f"{POOL}.zones": ["us-central1-a"]}),
    (f"{POOL}.flexStart.maxRunSeconds", 3600, {f"{POOL}.flexStart": {}}),
    (f"{POOL}.diskSizeGb", 200, {}),
    (f"{POOL}.diskType", "pd-ssd", {}),
    (f"{POOL}.localSsd.use", "block", {f"{POOL}.localSsd": {}}),
    (f"{POOL}.accelerator.count", 2, T4),
    (f"{POOL}.secondaryBootDisk.image", "global/images/b", {f"{POOL}.secondaryBootDisk": {"image": "global/images/a"}}),
    (f"{POOL}.zones", ["us-central1-a"], {}),
    (f"{POOL}.locationPolicy", "ANY", {}),
    (f"{POOL}.driverVersion", "DEFAULT", {}),
    (f"{POOL}.imageType", "UBUNTU_CONTAINERD", {}),
    (f"{POOL}.maxPodsPerNode", 32, {}),
    (f"{POOL}.labels", {"team": "ml"}, {}),
    (f"{POOL}.taints[0].value", "no", {f"{POOL}.taints": [{"key": "team", "value": "ml"}]}),
    (f"{POOL}.upgrade.maxSurge", 2, {}),
    (f"{POOL}.upgrade.strategy", "blue-green", {}),
    (f"{POOL}.upgrade.pdbTimeoutSeconds", 60, {}),
    (f"{POOL}.autoRepair", False, {}),
    (f"{POOL}.protect", True, {}),
    ("cluster.networkOptions.natAddresses", 2, {}),
    ("computeClasses.l4s.priorities[0].nodePool", "spare", CLASSED | SPARE),
    ("computeClasses.l4s.priorities[0].machineType", "g2-standard-16", MADE),
    ("computeClasses.l4s.priorities[0].spot", True, MADE),
    ("computeClasses.l4s.priorities[0].flexStartSeconds", 7200, MADE),
    ("computeClasses.l4s.priorities[0].reservation", "r1", MADE),
    ("computeClasses.l4s.whenUnsatisfiable", "ScaleUpAnyway", CLASSED),
    ("computeClasses.l4s.migrateBack", True, CLASSED),
    ("computeClasses.l4s.consolidationMinutes", 5, CLASSED),
    (f"{WORKLOAD}.engine.maxModelLen", 4096, {}),
    (f"{WORKLOAD}.engine.version", "0.25.1", {}),
    (f"{WORKLOAD}.model.id", "Qwen/Qwen2.5-3B-Instruct", {}),
    (f"{WORKLOAD}.model.revision", "abc123", {}),
    (f"{WORKLOAD}.recipe", "vllm-7b-kvcache", {}),
    (f"{WORKLOAD}.load.inputTokens", 100, {}),
    (f"{WORKLOAD}.gpus", 2, WIDE),
    (f"{WORKLOAD}.nodePool", "spare", LARGER),
    (f"{WORKLOAD}.computeClass", "l4s", OFFERED),
    (f"{WORKLOAD}.env.B.secret", "other", {f"{WORKLOAD}.env": {"B": {"secret": "some", "key": "b"}}}),
    (f"{WORKLOAD}.apiKey.key", "other", {f"{WORKLOAD}.apiKey": {"secret": "some", "key": "k"}}),
    (f"{WORKLOAD}.podSecurity.level", "baseline", {}),
    (f"{WORKLOAD}.serviceAccount.name", "llm", {}),
    (f"{WORKLOAD}.apiKey.secret", "other", {f"{WORKLOAD}.apiKey": {"secret": "some", "key": "k"}}),
    (f"{WORKLOAD}.allow[0].rule", "vllm-fp8-kv-before-ada", ALLOWED),
    (f"{WORKLOAD}.allow[0].reason", "measured", ALLOWED),
    (f"{WORKLOAD}.replicas", 2, {}),
    (f"{WORKLOAD}.autoscaling.maxReplicas", 3, {f"{WORKLOAD}.autoscaling": {"maxReplicas": 2}}),
    (f"{WORKLOAD}.autoscaling.metric", "cache", {f"{WORKLOAD}.autoscaling": {"maxReplicas": 2}}),
    (f"{WORKLOAD}.autoscaling.minReplicas", 2, {f"{WORKLOAD}.autoscaling": {"maxReplicas": 2}}),
    (f"{WORKLOAD}.autoscaling.target", 7, {f"{WORKLOAD}.autoscaling": {"maxReplicas": 2}}),
    (f"{WORKLOAD}.autoscaling.scaleDownStabilizationSeconds", 900, {f"{WORKLOAD}.autoscaling": {"maxReplicas": 2}}),
    ("monitoring.podMonitoring", True, {}),
    ("monitoring.dashboard", True, {}),
    (f"{WORKLOAD}.resources.requests.memory", "20Gi", {}),
    (f"{WORKLOAD}.shm", "2Gi", {}),
    (f"{WORKLOAD}.service.name", "other", {}),
    (f"{WORKLOAD}.service.type", "LoadBalancer", {}),
    (f"{WORKLOAD}.service.tls.secret", "other", {f"{WORKLOAD}.service.tls": {"secret": "some"}}),
    (f"{WORKLOAD}.service.port", 8001, {}),
    (f"{WORKLOAD}.labels", {"team": "ml"}, {}),
    (f"{WORKLOAD}.extraArgs", ["--uvicorn-log-level=warning"], {}),
    (f"{WORKLOAD}.extraEnv", {"A": "2"}, {}),
    (f"{WORKLOAD}.renamedFrom", "old", {}),
    (f"{WORKLOAD}.fit", "warn", {}),
    (f"{WORKLOAD}.compileCache.claim", "b", {f"{WORKLOAD}.compileCache": {"claim": "a"}}),
    ("namespace", "models", {}),
    ("createNamespace", False, {}),
    ("huggingFace.existingSecret", "b", {"huggingFace": {"existingSecret": "a"}}),
    ("huggingFace.key", "other", {"huggingFace": {"existingSecret": "a"}}),
    ("huggingFace.tokenRevision", 2, {f"{WORKLOAD}.model.gated": True}),
    ("allowReplace", ["cluster"], {}),
)
