"""Every rule of what GKE refuses: an example that it catches, and a nearby config that it lets pass."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from l4serve.config.cluster import Cluster
from l4serve.config.data_file import load_data
from l4serve.config.node_pool import NodePool
from l4serve.config.problems import ConfigError, Problem
from l4serve.engines.conditions import RuleError, fill, holds
from l4serve.planning.gke import conflicts
from l4serve.planning.gke.conflict_inputs import cluster_inputs, pool_inputs
from l4serve.planning.gke.conflicts import pool_problems, refuse_cluster
from l4serve.planning.gke.pools import plan_pool
from l4serve.planning.machines.shapes import find_shape
from tests.factories import AUTOPILOT, EXISTING, STANDARD, ZONAL, cluster_plan

CLUSTER: TypeAdapter[Any] = TypeAdapter(Cluster)
KEY = "projects/p/locations/{}/keyRings/r/cryptoKeys/k"
NO_UPGRADES = {"name": "freeze", "scope": "NO_UPGRADES", "start": "2026-11-01T00:00:00Z", "end": "2026-11-20T00:00:00Z"}

# rule -> (config that the rule refuses, config that differs in the point and passes)
CLUSTER_CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
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
    "bad-cidr": (
        {**STANDARD, "networkOptions": {"nodesCidr": "10.0.0.1/20"}},
        {**STANDARD, "networkOptions": {"nodesCidr": "10.0.0.0/20"}},
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
}

L4 = {"machineType": "g2-standard-8"}
ONE_ZONE = {**L4, "zones": ["us-central1-a"]}
FLEX = {**L4, "flexStart": {}}
RESERVED = {**ONE_ZONE, "reservation": {"affinity": "specific", "name": "r"}}
BLUE_GREEN = {"upgrade": {"strategy": "blue-green"}}
CACHE = {**L4, "secondaryBootDisk": {"image": "projects/p/global/images/i"}}

POOL_CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
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
    "zones-without-accelerator": (
        STANDARD,
        {**L4, "zones": ["us-central1-f"]},
        {**L4, "zones": ["us-central1-f"], "allowUnlistedZones": True},
    ),
    "pool-zones-outside": (STANDARD, {**L4, "zones": ["us-east1-b"]}, {**L4, "zones": ["us-central1-b"]}),
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


def rules(subject: str) -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in load_data(conflicts.__file__, "conflicts.yaml")[subject]}


def problems_of_cluster(config: dict[str, Any]) -> tuple[Problem, ...]:
    try:
        refuse_cluster(CLUSTER.validate_python(config))
    except ConfigError as error:
        return error.problems
    return ()


def problems_of_pool(cluster: dict[str, Any], pool: dict[str, Any]) -> tuple[Problem, ...]:
    config = NodePool.model_validate(pool)
    return pool_problems("nodePools.l4", config, find_shape(config.machine_type), cluster_plan(cluster))


def path_of(prefix: str, rule: dict[str, Any]) -> str:
    return f"{prefix}.{rule['path']}" if rule["path"] else prefix


def test_every_rule_has_an_example() -> None:
    assert set(rules("cluster")) == set(CLUSTER_CASES)
    assert set(rules("pool")) == set(POOL_CASES) | SHAPE_ONLY


@pytest.mark.parametrize("subject", ["cluster", "pool"])
def test_every_rule_names_its_source_and_its_remedy(subject: str) -> None:
    for name, rule in rules(subject).items():
        assert rule["source"].startswith("https://") or rule["source"] == "docs/gke.md", name
        assert rule["remedy"], name


@pytest.mark.parametrize("name", CLUSTER_CASES)
def test_cluster_rule_refuses_its_example(name: str) -> None:
    refused, allowed = CLUSTER_CASES[name]
    path = path_of("cluster", rules("cluster")[name])
    found = problems_of_cluster(refused)
    assert path in [problem.path for problem in found]
    assert all("{" not in str(problem) and "None" not in problem.message for problem in found)
    assert problems_of_cluster(allowed) == ()


@pytest.mark.parametrize("name", POOL_CASES)
def test_pool_rule_refuses_its_example(name: str) -> None:
    cluster, refused, allowed = POOL_CASES[name]
    path = path_of("nodePools.l4", rules("pool")[name])
    found = problems_of_pool(cluster, refused)
    assert path in [problem.path for problem in found]
    assert all("{" not in str(problem) and "None" not in problem.message for problem in found)
    if name not in NO_COUNTERPART:
        good_cluster = STANDARD if name == "image-cache-without-streaming" else cluster
        assert problems_of_pool(good_cluster, allowed) == ()


def test_compact_placement_is_refused_on_machines_that_lack_it() -> None:
    shape = find_shape("n1-standard-8", ("nvidia-tesla-t4", 1))
    config = NodePool.model_validate({**ONE_ZONE, "machineType": "n1-standard-8", "placement": {}})
    found = pool_problems("nodePools.t4", config, shape, cluster_plan(ZONAL))
    assert "nodePools.t4.placement" in [problem.path for problem in found]


def test_all_conflicts_of_a_pool_come_at_once() -> None:
    config = NodePool.model_validate({**FLEX, "minNodes": 1, "diskType": "pd-standard", "autoUpgrade": False})
    with pytest.raises(ConfigError) as caught:
        plan_pool("l4", config, cluster_plan(STANDARD))
    assert {p.path for p in caught.value.problems} == {
        "nodePools.l4.minNodes",
        "nodePools.l4.diskType",
        "nodePools.l4.autoUpgrade",
    }


def test_an_unknown_machine_type_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        plan_pool("l4", NodePool.model_validate({"machineType": "g2-standard-6"}), cluster_plan(STANDARD))
    (problem,) = caught.value.problems
    assert problem.path == "nodePools.l4.machineType"
    assert "g2-standard-8" in problem.remedy


@pytest.mark.parametrize(
    ("recurrence", "windows"),
    [
        ("FREQ=DAILY", 32),
        ("FREQ=DAILY;INTERVAL=2", 16),
        ("FREQ=DAILY;BYDAY=SA", 4),
        ("FREQ=WEEKLY", 4),
        ("FREQ=WEEKLY;BYDAY=SA,SU", 8),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", 2),
        ("FREQ=MONTHLY", 1),
        ("FREQ=MONTHLY;BYDAY=SA", 4),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", 2),
        ("FREQ=YEARLY", 0),
    ],
)
def test_windows_are_counted_as_the_recurrence_rule_has_them(recurrence: str, windows: int) -> None:
    """A window of six hours: the fewest that any 32 days have, as python-dateutil lists them."""
    maintenance = {"start": "2025-01-04T02:00:00Z", "end": "2025-01-04T08:00:00Z", "recurrence": recurrence}
    config = CLUSTER.validate_python({**STANDARD, "maintenance": maintenance})
    assert cluster_inputs(config)["windowHoursIn32Days"] == 6 * windows


@pytest.mark.parametrize("subject", ["cluster", "pool"])
def test_a_rule_names_only_facts_that_exist_on_every_kind_of_cluster(subject: str) -> None:
    pool = NodePool.model_validate({"machineType": "g2-standard-8"})
    configs = [CLUSTER.validate_python(config) for config in (STANDARD, AUTOPILOT, EXISTING)]
    if subject == "cluster":
        inputs = [cluster_inputs(config) for config in configs]
    else:
        plans = [cluster_plan(config) for config in (STANDARD, AUTOPILOT, EXISTING)]
        inputs = [pool_inputs(pool, shape, plan) for plan in plans for shape in (find_shape("g2-standard-8"), None)]
    for facts in inputs:
        for rule in rules(subject).values():
            holds(rule["when"], facts)
            fill(rule["message"] + rule["remedy"], facts)


def test_an_unknown_fact_is_an_error_in_a_condition_and_in_a_text() -> None:
    with pytest.raises(RuleError):
        holds({"no.such": True}, {"a": 1})
    with pytest.raises(RuleError):
        fill("{no.such}", {"a": 1})
