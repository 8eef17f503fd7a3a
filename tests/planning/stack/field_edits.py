"""For each config field (engine fields have a test of their own) an edit that must change the plan."""

from tests import factories
from tests.planning.stack.field_edit import FieldEdit, at, one
from tests.planning.stack.field_edits_beside import ALERTS, SOURCES
from tests.planning.stack.guard_edits import GUARD_EDITS

C, P, W = "cluster", "nodePools.l4", "workloads.qwen"
STANDARD = factories.serving(cluster=factories.STANDARD, pools={"l4": {"machineType": "g2-standard-12", "maxNodes": 3}})

CLASSES = {**STANDARD, "computeClasses": {"any": {"priorities": [{"machineType": "g2-standard-12"}]}}}
EXISTING = {**STANDARD, "cluster": dict(factories.EXISTING), "nodePools": {}}
FOUND = {**STANDARD, "cluster": {**factories.STANDARD, "mode": "existing"}}
ONE_ZONE = {**STANDARD, "nodePools": {"l4": {**STANDARD["nodePools"]["l4"], "zones": ["us-central1-a"]}}}
TWO_POOLS = {**STANDARD, "nodePools": {**STANDARD["nodePools"], "big": {"machineType": "g2-standard-32"}}}
T4 = {"type": "nvidia-tesla-t4", "count": 1}
N1 = {f"{P}.machineType": "n1-standard-16", f"{W}.engine.dtype": "float16"}
NEWEST = {**STANDARD, "cluster": {**factories.STANDARD, "minVersion": "1.35.1-gke.1396000"}}
SPOT_FIRST = {
    **STANDARD,
    "nodePools": {"s": {"machineType": "g2-standard-12", "spot": True}, "d": {"machineType": "g2-standard-12"}},
    "computeClasses": {"both": {"priorities": [{"nodePool": "s"}, {"nodePool": "d"}]}},
}
BASES = {
    "newest": NEWEST,
    "spot first": SPOT_FIRST,
    "standard": STANDARD,
    "classes": CLASSES,
    "existing": EXISTING,
    "found": FOUND,
    "one zone": ONE_ZONE,
    "two pools": TWO_POOLS,
}


EXCLUSION = {"name": "launch", "start": "2027-01-01T00:00:00Z", "end": "2027-01-02T00:00:00Z"}
FIRST, FALLBACK = {"machineType": "g2-standard-12"}, {"machineType": "g2-standard-16"}
PRIORITIES = "computeClasses.any.priorities"
BY_CLASS = {f"{W}.computeClass": "any"}
MANAGER = {"secret": "hf"}
NET = {f"{C}.network": "vpc", f"{C}.subnetwork": "nodes"}
AWQ = "Qwen/Qwen2.5-7B-Instruct"
SCALED = {"maxReplicas": 2}
KEPT = {"secret": "kept", "key": "key"}

EDITS = [
    *GUARD_EDITS,
    *at(
        C,
        "cluster",
        name="llm2",
        project="other-project",
        location="us-east1",
        releaseChannel="RAPID",
        minVersion="1.33",
        privateNodes=False,
        nodeServiceAccount="nodes@my-project.iam.gserviceaccount.com",
        databaseEncryptionKey="projects/p/locations/us-central1/keyRings/r/cryptoKeys/k",
        secretManager=True,
        gatewayApi=False,
        costAllocation=False,
        resourceLabels={"team": "llm"},
        enableApis=False,
        deletionProtection=True,
        protect=True,
        zones=["us-central1-a"],
        imageStreaming=False,
        gcsFuse=False,
        maxPodsPerNode=32,
        autoscalingProfile="BALANCED",
        network="vpc",
    ),
    FieldEdit("cluster.mode", {"cluster": {**STANDARD["cluster"], "mode": "autopilot"}, "nodePools": {}}),
    FieldEdit("cluster.subnetwork", {f"{C}.subnetwork": "other"}, NET),
    *at(f"{C}.networkOptions", "cluster.networkOptions", nodesCidr="10.1.0.0/20", podsCidr="10.12.0.0/14"),
    *at(f"{C}.networkOptions", "cluster.networkOptions", servicesCidr="10.9.0.0/20", nat=False, natAddresses=2),
    *[
        FieldEdit(
            f"cluster.networkOptions.{key}",
            {f"{C}.networkOptions.{key}": "other"},
            {**NET, f"{C}.networkOptions": {"podsRange": "p", "servicesRange": "s"}},
        )
        for key in ("podsRange", "servicesRange")
    ],
    one("cluster.authorizedNetworks[].cidr", f"{C}.authorizedNetworks", [], [{"cidr": "192.0.2.0/24"}]),
    one(
        "cluster.authorizedNetworks[].name",
        f"{C}.authorizedNetworks",
        [{"cidr": "192.0.2.0/24"}],
        [{"cidr": "192.0.2.0/24", "name": "office"}],
    ),
    *at(f"{C}.controlPlane", "cluster.controlPlane", ipEndpoint="none"),
    FieldEdit(
        "cluster.controlPlane.dnsEndpoint",
        {f"{C}.controlPlane.dnsEndpoint": False},
        {f"{C}.authorizedNetworks": [{"cidr": "192.0.2.0/24"}]},
    ),
    *at(f"{C}.monitoring", "cluster.monitoring", dcgm=False, components=["POD"]),
    one(
        "cluster.monitoring.managedPrometheus",
        f"{C}.monitoring",
        {"dcgm": False},
        {"dcgm": False, "managedPrometheus": False},
    ),
    one("cluster.maintenance.start", f"{C}.maintenance", {}, {"start": "2025-01-04T01:00:00Z"}),
    one("cluster.maintenance.end", f"{C}.maintenance", {}, {"end": "2025-01-04T12:00:00Z"}),
    one("cluster.maintenance.recurrence", f"{C}.maintenance", {}, {"recurrence": "FREQ=DAILY"}),
    *[
        one(
            f"cluster.maintenance.exclusions[].{key}",
            f"{C}.maintenance",
            {"exclusions": [EXCLUSION]},
            {"exclusions": [{**EXCLUSION, key: value}]},
        )
        for key, value in {
            "name": "sale",
            "start": "2026-12-31T00:00:00Z",
            "end": "2027-01-03T00:00:00Z",
            "scope": "NO_UPGRADES",
        }.items()
    ],
    *at(
        f"{C}.systemPool",
        "cluster.systemPool",
        machineType="e2-standard-8",
        fallbackMachineTypes=["n2-standard-4"],
        zones=["us-central1-b"],
        minNodes=2,
        maxNodes=5,
        diskSizeGb=80,
    ),
    one("cluster.kubeconfig", f"{C}.kubeconfig", None, "~/other", base="existing"),
    one("cluster.context", f"{C}.context", None, "other", base="existing"),
    *at(
        P,
        "nodePools.*",
        machineType="g2-standard-16",
        minNodes=1,
        maxNodes=4,
        provisioning="spot",
        spot=True,
        diskSizeGb=200,
        diskType="pd-ssd",
        localSsd={"count": 1},
        zones=["us-central1-a"],
        locationPolicy="ANY",
        driverVersion="DEFAULT",
        imageType="UBUNTU_CONTAINERD",
        maxPodsPerNode=32,
        labels={"team": "llm"},
        autoRepair=False,
        protect=True,
    ),
    one("nodePools.*.autoUpgrade", f"{P}.autoUpgrade", True, False, base="found"),
    *[
        one(f"nodePools.*.reservation.{key}", f"{P}.reservation", before, after, "one zone")
        for key, before, after in (
            ("affinity", {"affinity": "any"}, {"affinity": "specific", "name": "r"}),
            ("name", {"affinity": "specific", "name": "r"}, {"affinity": "specific", "name": "s"}),
            (
                "project",
                {"affinity": "specific", "name": "r"},
                {"affinity": "specific", "name": "r", "project": "shared-p"},
            ),
        )
    ],
    one("nodePools.*.flexStart.queued", f"{P}.flexStart", {}, {"queued": True}),
    one("nodePools.*.flexStart.maxRunSeconds", f"{P}.flexStart", {}, {"maxRunSeconds": 3600}),
    one("nodePools.*.placement.policyName", f"{P}.placement", {"type": "COMPACT"}, {"policyName": "p"}, "one zone"),
    FieldEdit(
        "nodePools.*.accelerator.count", {f"{P}.accelerator": {**T4, "count": 2}}, {**N1, f"{P}.accelerator": T4}
    ),
    one("nodePools.*.localSsd.count", f"{P}.localSsd", None, {"count": 1}),
    one("nodePools.*.localSsd.use", f"{P}.localSsd", {"count": 1}, {"count": 1, "use": "block"}),
    *[
        one(f"nodePools.*.secondaryBootDisk.{key}", f"{P}.secondaryBootDisk", {"image": "global/images/a"}, after)
        for key, after in (
            ("image", {"image": "global/images/b"}),
            ("mode", {"image": "global/images/a", "mode": None}),
        )
    ],
    *[
        one(f"nodePools.*.taints[].{key}", f"{P}.taints", [{"key": "a"}], [{"key": "a", key: value}])
        for key, value in {"key": "b", "value": "v", "effect": "NoExecute"}.items()
    ],
    *at(f"{P}.upgrade", "nodePools.*.upgrade", strategy="blue-green", pdbTimeoutSeconds=60),
    one("nodePools.*.upgrade.maxSurge", f"{P}.upgrade", {}, {"maxSurge": 2}),
    one("nodePools.*.upgrade.maxUnavailable", f"{P}.upgrade", {}, {"maxUnavailable": 2}),
    *[
        one(
            f"nodePools.*.upgrade.{key}", f"{P}.upgrade", {"strategy": "blue-green"}, {"strategy": "blue-green", key: 2}
        )
        for key in ("batchNodes", "batchSoakSeconds", "poolSoakSeconds")
    ],
    FieldEdit("computeClasses.*.priorities[].machineType", {PRIORITIES: [FALLBACK]}, BY_CLASS, "classes"),
    FieldEdit("computeClasses.*.priorities[].nodePool", {PRIORITIES: [{"nodePool": "l4"}]}, BY_CLASS, "classes"),
    *[
        FieldEdit(f"computeClasses.*.priorities[].{key}", {PRIORITIES: [{**FIRST, key: value}]}, BY_CLASS, "classes")
        for key, value in {"spot": True, "flexStartSeconds": 3600, "reservation": "r"}.items()
    ],
    *[
        FieldEdit(f"computeClasses.*.{key}", {f"computeClasses.any.{key}": value}, BY_CLASS, "classes")
        for key, value in {
            "whenUnsatisfiable": "ScaleUpAnyway",
            "migrateBack": True,
            "consolidationMinutes": 5,
        }.items()
    ],
    *at(
        W,
        "workloads.*",
        replicas=2,
        shm="2Gi",
        labels={"team": "llm"},
        extraArgs=["--uvicorn-log-level=warning"],
        extraEnv={"HF_HUB_DISABLE_TELEMETRY": "1"},
    ),
    one("workloads.*.apiKey.secret", f"{W}.apiKey", KEPT, {**KEPT, "secret": "other"}),
    one("workloads.*.apiKey.key", f"{W}.apiKey", KEPT, {**KEPT, "key": "other"}),
    one("workloads.*.env.*.secret", f"{W}.env", {"A": KEPT}, {"A": {**KEPT, "secret": "other"}}),
    one("workloads.*.env.*.configMap", f"{W}.env", {"A": KEPT}, {"A": {"configMap": "kept", "key": "key"}}),
    one("workloads.*.env.*.key", f"{W}.env", {"A": KEPT}, {"A": {**KEPT, "key": "other"}}),
    FieldEdit("workloads.*.nodePool", {f"{W}.nodePool": "big"}, base="two pools"),
    FieldEdit("workloads.*.recipe", {f"{W}.recipe": "vllm-7b-token"}),
    FieldEdit("workloads.*.gpus", {f"{W}.gpus": 2}, {f"{P}.machineType": "g2-standard-24"}),
    FieldEdit("workloads.*.computeClass", BY_CLASS, {}, "classes"),
    *at(f"{W}.model", "workloads.*.model", id="Qwen/Qwen2.5-0.5B-Instruct", revision="main", gated=True),
    *[
        FieldEdit(f"workloads.*.resources.{kind}.{key}", {f"{W}.resources.{kind}.{key}": value})
        for kind in ("requests", "limits")
        for key, value in {"cpu": "3", "memory": "11Gi", "ephemeralStorage": "21Gi"}.items()
    ],
    *at(f"{W}.load", "workloads.*.load", inputTokens=100, outputTokens=100),
    *at(f"{W}.service", "workloads.*.service", name="api", type="LoadBalancer", port=9000),
    *SOURCES,
    FieldEdit("workloads.*.renamedFrom", {f"{W}.renamedFrom": "old"}),
    FieldEdit("workloads.*.fit", {f"{W}.fit": "warn"}, {f"{W}.fit": "refuse"}),
    FieldEdit("workloads.*.allow[].rule", {f"{W}.allow": ["vllm-eager"]}),
    FieldEdit(
        "workloads.*.allow[].reason",
        {f"{W}.allow": [{"rule": "vllm-eager", "reason": "tried"}]},
        {f"{W}.allow": ["vllm-eager"]},
    ),
    *[
        one(f"workloads.*.autoscaling.{key}", f"{W}.autoscaling", SCALED, {**SCALED, key: value})
        for key, value in {
            "minReplicas": 2,
            "maxReplicas": 3,
            "metric": "cache",
            "target": 8,
            "scaleDownStabilizationSeconds": 900,
        }.items()
    ],
    one("workloads.*.autoscaling.metricsFrom", f"{W}.autoscaling", SCALED, {**SCALED, "metricsFrom": "gke"}, "newest"),
    FieldEdit("workloads.*.minOnDemand", {f"{W}.minOnDemand": 1}, {f"{W}.computeClass": "both"}, "spot first"),
    FieldEdit("monitoring.podMonitoring", {"monitoring.podMonitoring": True}),
    *ALERTS,
    FieldEdit("monitoring.dashboard", {"monitoring.dashboard": True}),
    FieldEdit("namespace", {"namespace": "other"}),
    FieldEdit("createNamespace", {"createNamespace": False}),
    FieldEdit("huggingFace.existingSecret", {"huggingFace": {"existingSecret": "mine"}}),
    *[
        FieldEdit(
            f"huggingFace.secretManager.{key}",
            {"huggingFace": {"secretManager": {**MANAGER, key: value}}},
            {"huggingFace": {"secretManager": MANAGER}, f"{C}.secretManager": True},
        )
        for key, value in {"secret": "other", "version": "2", "delivery": "file", "manageAccess": False}.items()
    ],
    FieldEdit("huggingFace.key", {"huggingFace": {"key": "token"}}, has_token=True),
    FieldEdit("huggingFace.tokenRevision", {"huggingFace": {"tokenRevision": 2}}, has_token=True),
    FieldEdit("allowReplace", {"allowReplace": ["cluster"]}, {f"{C}.protect": True}),
    one("prices.onDemand", "prices", {}, {"onDemand": {"g2-standard-12": 0.5}}),
    FieldEdit("prices.spot", {"prices": {"spot": {"g2-standard-12": 0.1}}}, {f"{P}.spot": True}),
    FieldEdit("prices.flexStart", {"prices": {"flexStart": {"g2-standard-12": 0.1}}}, {f"{P}.flexStart": {}}),
]
SAME_PLAN = {
    "nodePools.*.allowUnlistedZones": "lets a refused zone pass",
    "nodePools.*.placement.type": "has one value",
    "nodePools.*.accelerator.type": "has one value that N1 takes",
    "workloads.*.model.config": "read by the loader; tested there",
    "workloads.*.fit": "turns a refusal into a warning; tested with the memory model",
}
EDITS = [edit for edit in EDITS if edit.path not in SAME_PLAN]
