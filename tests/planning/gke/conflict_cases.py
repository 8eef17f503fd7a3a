"""An example of each conflict, by the rule that it breaks."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from l4serve.config.keys.cluster import Cluster
from tests.factories import AUTOPILOT, EXISTING, STANDARD, ZONAL

CLUSTER: TypeAdapter[Any] = TypeAdapter(Cluster)
KEY = "projects/p/locations/{}/keyRings/r/cryptoKeys/k"
NO_UPGRADES = {"name": "freeze", "scope": "NO_UPGRADES", "start": "2026-11-01T00:00:00Z", "end": "2026-11-20T00:00:00Z"}

# rule -> (config that the rule refuses, config that differs in the point and passes)
CLUSTER_CASES: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "autopilot-zonal": ({**AUTOPILOT, "location": "us-central1-a"}, AUTOPILOT),
    "no-way-in": (
        {**STANDARD, "controlPlane": {"dnsEndpoint": False, "ipEndpoint": "none"}},
        {**STANDARD, "controlPlane": {"dnsEndpoint": True, "ipEndpoint": "none"}},
    ),
    "public-without-networks": (
        {**STANDARD, "controlPlane": {"ipEndpoint": "public"}},
        {**STANDARD, "controlPlane": {"ipEndpoint": "public"}, "authorizedNetworks": [{"cidr": "203.0.113.0/24"}]},
    ),
    "networks-without-endpoint": (
        {**STANDARD, "controlPlane": {"ipEndpoint": "none"}, "authorizedNetworks": [{"cidr": "203.0.113.0/24"}]},
        {**STANDARD, "controlPlane": {"ipEndpoint": "none"}},
    ),
    "public-range-on-private-endpoint": (
        {**STANDARD, "controlPlane": {"ipEndpoint": "private"}, "authorizedNetworks": [{"cidr": "34.1.0.0/16"}]},
        {**STANDARD, "controlPlane": {"ipEndpoint": "private"}, "authorizedNetworks": [{"cidr": "10.1.0.0/16"}]},
    ),
    "open-to-all": (
        {**STANDARD, "authorizedNetworks": [{"cidr": "0.0.0.0/0"}]},
        {**STANDARD, "authorizedNetworks": [{"cidr": "203.0.113.7/32"}]},
    ),
    "overlapping-ranges": (
        {**STANDARD, "networkOptions": {"servicesCidr": "10.4.0.0/20"}},
        {**STANDARD, "network": "shared", "networkOptions": {"servicesCidr": "10.4.0.0/20"}},
    ),
    "too-few-pod-addresses": (
        {**STANDARD, "networkOptions": {"podsCidr": "10.4.0.0/23"}},
        {**STANDARD, "networkOptions": {"podsCidr": "10.4.0.0/22"}},
    ),
    "subnetwork-alone": ({**STANDARD, "subnetwork": "s"}, {**STANDARD, "network": "n", "subnetwork": "s"}),
    "ranges-of-made-network": (
        {**STANDARD, "networkOptions": {"podsRange": "p", "servicesRange": "s"}},
        {**STANDARD, "network": "n", "subnetwork": "u", "networkOptions": {"podsRange": "p", "servicesRange": "s"}},
    ),
    "half-of-the-ranges": (
        {**STANDARD, "network": "n", "subnetwork": "u", "networkOptions": {"podsRange": "p"}},
        {**STANDARD, "network": "n", "subnetwork": "u", "networkOptions": {"podsRange": "p", "servicesRange": "s"}},
    ),
    "ranges-without-subnetwork": (
        {**STANDARD, "network": "n", "networkOptions": {"podsRange": "p", "servicesRange": "s"}},
        {**STANDARD, "network": "n"},
    ),
    "nat-for-public-nodes": (
        {**STANDARD, "privateNodes": False, "networkOptions": {"nat": True}},
        {**STANDARD, "privateNodes": False},
    ),
    "zones-outside": ({**STANDARD, "zones": ["us-east1-b"]}, {**STANDARD, "zones": ["us-central1-b"]}),
    "zones-unknown": ({**STANDARD, "zones": ["us-central1-z"]}, {**STANDARD, "zones": ["us-central1-f"]}),
    "zones-repeat-location": ({**ZONAL, "zones": ["us-central1-a"]}, {**ZONAL, "zones": ["us-central1-b"]}),
    "key-elsewhere": (
        {**ZONAL, "databaseEncryptionKey": KEY.format("europe-west4")},
        {**ZONAL, "databaseEncryptionKey": KEY.format("us-central1")},
    ),
    "dcgm-alone": (
        {**STANDARD, "monitoring": {"managedPrometheus": False}},
        {**STANDARD, "monitoring": {"managedPrometheus": False, "dcgm": False}},
    ),
    "window-backwards": (
        {**STANDARD, "maintenance": {"start": "2025-01-04T10:00:00Z", "end": "2025-01-04T02:00:00Z"}},
        {**STANDARD, "maintenance": {"start": "2025-01-04T02:00:00Z", "end": "2025-01-04T10:00:00Z"}},
    ),
    "window-short": (
        {**STANDARD, "maintenance": {"start": "2025-01-04T02:00:00Z", "end": "2025-01-04T05:59:00Z"}},
        {**STANDARD, "maintenance": {"end": "2025-01-04T06:00:00Z", "recurrence": "FREQ=DAILY"}},
    ),
    "window-long": (
        {**STANDARD, "maintenance": {"start": "2025-01-04T02:00:00Z", "end": "2025-01-05T03:00:00Z"}},
        {**STANDARD, "maintenance": {"start": "2025-01-04T02:00:00Z", "end": "2025-01-05T02:00:00Z"}},
    ),
    "window-recurrence": (
        {**STANDARD, "maintenance": {"recurrence": "FREQ=WEEKLY;BYDAY=SO"}},
        {**STANDARD, "maintenance": {"recurrence": "FREQ=WEEKLY;BYDAY=SA,SU"}},
    ),
    "window-rare": (
        {**STANDARD, "maintenance": {"recurrence": "FREQ=WEEKLY;BYDAY=SA"}},
        {**STANDARD, "maintenance": {"recurrence": "FREQ=WEEKLY;BYDAY=SA,SU"}},
    ),
    "exclusion-backwards": (
        {**STANDARD, "maintenance": {"exclusions": [{**NO_UPGRADES, "end": "2026-10-01T00:00:00Z"}]}},
        {**STANDARD, "maintenance": {"exclusions": [NO_UPGRADES]}},
    ),
    "exclusion-long": (
        {**STANDARD, "maintenance": {"exclusions": [{**NO_UPGRADES, "end": "2026-12-02T00:00:00Z"}]}},
        {**STANDARD, "maintenance": {"exclusions": [{**NO_UPGRADES, "end": "2026-12-01T00:00:00Z"}]}},
    ),
    "too-many-exclusions": (
        {**STANDARD, "maintenance": {"exclusions": [NO_UPGRADES] * 4}},
        {**STANDARD, "maintenance": {"exclusions": [NO_UPGRADES] * 3}},
    ),
    "two-clusters": (
        {**EXISTING, "name": "llm", "location": "us-central1", "kubeconfig": "~/.kube/config"},
        {**EXISTING, "kubeconfig": "~/.kube/config"},
    ),
    "context-of-lookup": (
        {**EXISTING, "name": "llm", "location": "us-central1", "context": "c"},
        {**EXISTING, "context": "c"},
    ),
    "lookup-without-location": ({**EXISTING, "name": "llm"}, {**EXISTING, "name": "llm", "location": "us-central1"}),
    "system-pool-with-gpus": (
        {**STANDARD, "systemPool": {"machineType": "g2-standard-4"}},
        {**STANDARD, "systemPool": {"machineType": "n2-standard-4"}},
    ),
    "system-fallback-with-gpus": (
        {**STANDARD, "systemPool": {"fallbackMachineTypes": ["g2-standard-4"]}},
        {**STANDARD, "systemPool": {"fallbackMachineTypes": ["n2-standard-4"]}},
    ),
    "system-pool-on-arm": (
        {**STANDARD, "systemPool": {"machineType": "t2a-standard-4"}},
        {**STANDARD, "systemPool": {"machineType": "t2d-standard-4"}},
    ),
    "system-fallback-on-arm": (
        {**STANDARD, "systemPool": {"fallbackMachineTypes": ["t2a-standard-4"]}},
        {**STANDARD, "systemPool": {"fallbackMachineTypes": ["t2d-standard-4"]}},
    ),
    "system-machine-misspelt": (
        {**STANDARD, "systemPool": {"machineType": "e2-standrd-4"}},
        {**STANDARD, "systemPool": {"machineType": "c4d-standard-8-lssd"}},
    ),
    "system-fallback-misspelt": (
        {**STANDARD, "systemPool": {"fallbackMachineTypes": ["n2-standard-5"]}},
        {**STANDARD, "systemPool": {"fallbackMachineTypes": ["n2-custom-4-8192"]}},
    ),
    "system-pool-elsewhere": (
        {**STANDARD, "systemPool": {"zones": ["us-east1-b"]}},
        {**STANDARD, "systemPool": {"zones": ["us-central1-b"]}},
    ),
    "system-zones-unknown": (
        {**STANDARD, "systemPool": {"zones": ["us-central1-d"]}},
        {**STANDARD, "systemPool": {"zones": ["us-central1-f"]}},
    ),
    "system-pool-twice": (
        {**STANDARD, "systemPool": {"fallbackMachineTypes": ["n2-standard-4", "n2-standard-4"]}},
        {**STANDARD, "systemPool": {"fallbackMachineTypes": ["n2-standard-4", "c3-standard-4"]}},
    ),
}

L4 = {"machineType": "g2-standard-8"}
ONE_ZONE = {**L4, "zones": ["us-central1-a"]}
FLEX = {**L4, "flexStart": {}}
RESERVED = {**ONE_ZONE, "reservation": {"affinity": "specific", "name": "r"}}
BLUE_GREEN = {"upgrade": {"strategy": "blue-green"}}
CACHE = {**L4, "secondaryBootDisk": {"image": "projects/p/global/images/i"}}

POOL_CASES: dict[str, tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]] = {
    "pools-on-autopilot": (AUTOPILOT, L4, {}),
    "spot-and-model": (
        STANDARD,
        {**L4, "spot": True, "provisioning": "on-demand"},
        {**L4, "provisioning": "on-demand"},
    ),
    "spot-denied": (STANDARD, {**L4, "spot": False, "provisioning": "spot"}, {**L4, "provisioning": "spot"}),
    "spot-with-flex-start": (STANDARD, {**FLEX, "spot": True}, FLEX),
    "flex-start-unused": (STANDARD, {**FLEX, "provisioning": "on-demand"}, {**FLEX, "provisioning": "flex-start"}),
    "spot-with-reservation": (STANDARD, {**RESERVED, "spot": True}, RESERVED),
    "flex-start-with-reservation": (STANDARD, {**RESERVED, "flexStart": {}}, FLEX),
    "on-demand-with-reservation": (
        STANDARD,
        {**RESERVED, "provisioning": "on-demand"},
        {**RESERVED, "provisioning": "reservation"},
    ),
    "flex-start-minimum": (STANDARD, {**FLEX, "minNodes": 1}, {**L4, "minNodes": 1}),
    "flex-start-placement": (STANDARD, {**FLEX, **ONE_ZONE, "placement": {}}, {**ONE_ZONE, "placement": {}}),
    "flex-start-blue-green": (STANDARD, {**FLEX, **BLUE_GREEN}, {**L4, **BLUE_GREEN}),
    "flex-start-location-policy": (
        STANDARD,
        {**FLEX, "locationPolicy": "BALANCED"},
        {**FLEX, "locationPolicy": "ANY"},
    ),
    "placement-zones": (STANDARD, {**L4, "placement": {}}, {**ONE_ZONE, "placement": {}}),
    "placement-blue-green": (
        STANDARD,
        {**ONE_ZONE, "placement": {}, **BLUE_GREEN},
        {**ONE_ZONE, "placement": {}},
    ),
    "specific-reservation-zones": (STANDARD, {**RESERVED, "zones": []}, RESERVED),
    "reservation-blue-green": (STANDARD, {**RESERVED, **BLUE_GREEN}, RESERVED),
    "region-without-accelerator": ({**STANDARD, "location": "europe-north1"}, L4, {}),
    "location-without-accelerator": (
        {**STANDARD, "location": "us-central1-f"},
        L4,
        {**L4, "allowUnlistedZones": True},
    ),
    "zones-without-accelerator": (
        STANDARD,
        {**L4, "zones": ["us-central1-f"]},
        {**L4, "zones": ["us-central1-f"], "allowUnlistedZones": True},
    ),
    "pool-zones-outside": (STANDARD, {**L4, "zones": ["us-east1-b"]}, {**L4, "zones": ["us-central1-b"]}),
    "pool-zones-unknown": (
        STANDARD,
        {"machineType": "a3-highgpu-8g", "spot": True, "zones": ["us-central1-z"]},
        {"machineType": "a3-highgpu-8g", "spot": True, "zones": ["us-central1-c"]},
    ),
    "duplicate-zones": (STANDARD, {**L4, "zones": ["us-central1-a", "us-central1-a"]}, ONE_ZONE),
    "boot-disk": (STANDARD, {**L4, "diskType": "pd-standard"}, {**L4, "diskType": "pd-ssd"}),
    "local-ssd-count": (STANDARD, {**L4, "localSsd": {"count": 2}}, {**L4, "localSsd": {"count": 1}}),
    "reserved-label": (
        STANDARD,
        {**L4, "labels": {"cloud.google.com/x": "y"}},
        {**L4, "labels": {"example.com/x": "y"}},
    ),
    "duplicate-taint": (STANDARD, {**L4, "taints": [{"key": "nvidia.com/gpu"}]}, {**L4, "taints": [{"key": "team"}]}),
    "surge-nothing": (
        STANDARD,
        {**L4, "upgrade": {"maxSurge": 0, "maxUnavailable": 0}},
        {**L4, "upgrade": {"maxSurge": 0, "maxUnavailable": 1}},
    ),
    "surge-much": (
        STANDARD,
        {**L4, "upgrade": {"maxSurge": 20, "maxUnavailable": 1}},
        {**L4, "upgrade": {"maxSurge": 20}},
    ),
    "surge-of-blue-green": (
        STANDARD,
        {**L4, "upgrade": {"strategy": "blue-green", "maxSurge": 1}},
        {**L4, **BLUE_GREEN},
    ),
    "surge-of-flex-start": (STANDARD, {**FLEX, "upgrade": {"maxSurge": 1}}, {**L4, "upgrade": {"maxSurge": 1}}),
    "batches-over-maximum": (
        STANDARD,
        {**L4, "maxNodes": 2, "upgrade": {"strategy": "blue-green", "batchNodes": 3}},
        {**L4, "maxNodes": 3, "upgrade": {"strategy": "blue-green", "batchNodes": 3}},
    ),
    "local-ssd-unknown": (
        ZONAL,
        {"machineType": "a3-highgpu-8g", "localSsd": {}},
        {"machineType": "a3-highgpu-8g", "localSsd": {"count": 8}},
    ),
    "local-ssd-unmeasured": (
        ZONAL,
        {"machineType": "a3-highgpu-8g", "localSsd": {"count": 16}},
        {"machineType": "a3-highgpu-8g", "localSsd": {"count": 16, "use": "block"}},
    ),
    "not-sold-so": (ZONAL, {"machineType": "a3-highgpu-1g"}, {"machineType": "a3-highgpu-1g", "spot": True}),
    "auto-upgrade-off": (STANDARD, {**L4, "autoUpgrade": False}, L4),
    "image-cache-without-streaming": ({**STANDARD, "imageStreaming": False}, CACHE, L4),
    "image-cache-system": (STANDARD, {**CACHE, "imageType": "UBUNTU_CONTAINERD"}, CACHE),
}
NO_COUNTERPART = {"pools-on-autopilot", "region-without-accelerator"}
SHAPE_ONLY = {"placement-shape"}
