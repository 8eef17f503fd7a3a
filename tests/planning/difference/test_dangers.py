"""What a danger says of protection and of clusters, held to what the engine does."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests import factories
from tests.planning.difference.scenarios import DROP, C, P, W, danger_texts, edited

PROTECTED_CLUSTER, PROTECTED_POOL = {f"{C}.protect": True}, {f"{P}.protect": True}


@pytest.mark.parametrize(
    ("values", "given", "kind", "named"),
    [
        ({f"{C}.name": "other"}, PROTECTED_CLUSTER, "cluster replaced", "allowReplace: [cluster] lifts that"),
        ({f"{P}.driverVersion": "DEFAULT"}, PROTECTED_POOL, "pool replaced", "allowReplace: [l4] lifts that"),
        (
            {f"{C}.name": "other"},
            {f"{C}.deletionProtection": True},
            "cluster replaced",
            "only after an update with cluster.deletionProtection: false",
        ),
        (
            {f"{C}.name": "other", "allowReplace": ["cluster"]},
            PROTECTED_CLUSTER,
            "cluster replaced",
            "it was protected, and this edit lifts that",
        ),
        (
            {"nodePools.big": DROP},
            {"nodePools.big": {"machineType": "g2-standard-24", "maxNodes": 1, "protect": True}},
            "pool removed",
            "unless an update before this one has allowReplace: [big]",
        ),
    ],
)
def test_what_stops_a_replacement_is_said(values: dict[str, Any], given: dict[str, Any], kind: str, named: str) -> None:
    """The engine stops where both sides protect a resource, and at a deletion where the deployed one is protected."""
    (text,) = danger_texts(edited(values, given), kind)
    assert named in text


def test_nothing_stops_what_nobody_protected() -> None:
    (text,) = danger_texts(edited({f"{C}.name": "other"}, {}), "cluster replaced")
    assert "protect" not in text
    assert "allowReplace" not in text


@pytest.mark.parametrize("change", [{f"{C}.name": "other"}, {f"{C}.location": "europe-west4-a"}])
def test_another_existing_cluster_is_told_in_one_way(change: dict[str, Any]) -> None:
    """The objects are made in the other cluster, whatever their names; they are not deleted first."""
    named = {"mode": "existing", "name": "one", "location": "us-central1-a"}
    base = factories.serving(cluster=named)
    diff = edited(change, {}, base)
    (cluster,) = danger_texts(diff, "cluster replaced")
    assert "made there and deleted here" in cluster
    (workload,) = diff.workloads
    assert workload.interruption.why == (
        "its objects are made in the other cluster first, and clients must follow them to qwen in namespace llm-serving"
    )
    (replaced,) = danger_texts(diff, "workload replaced")
    assert "deleted before" not in replaced


def test_another_namespace_is_still_told_as_before() -> None:
    (workload,) = edited({"namespace": "models", f"{W}.replicas": 1}, {}).workloads
    assert "follow them to qwen in namespace models" in workload.interruption.why


DOOR = {"expose": {"to": "internet", "certificate": {"certificateManager": "llm"}}}
KEYED = {f"{W}.apiKey": {"secret": "kept"}}


def test_the_internet_is_a_danger_and_without_a_key_the_worse_one() -> None:
    opened = edited(DOOR, {})
    assert [danger.kind for danger in opened.dangers][:2] == ["public without a key", "public endpoint"]
    assert danger_texts(edited(DOOR, KEYED), "public without a key") == []
    assert len(danger_texts(edited(DOOR, KEYED), "public endpoint")) == 1
    assert len(danger_texts(edited({f"{W}.apiKey": DROP}, {**DOOR, **KEYED}), "public without a key")) == 1
    assert danger_texts(edited({f"{W}.engine.maxModelLen": 4096}, DOOR), "public without a key") == []


def test_the_network_is_no_danger() -> None:
    assert not [d for d in edited({"expose": {"to": "network"}}, {}).dangers if d.kind.startswith("public")]


OFFICE, OFFICES = {"cidr": "10.20.0.0/24"}, {"cidr": "10.20.0.0/16"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([], [OFFICE], ["10.20.0.0/24 may connect to qwen"]),
        ([OFFICE], [OFFICES], ["10.20.0.0/16 may connect to qwen"]),
        ([], [{"namespace": "search"}], ["pods of search may connect to qwen"]),
        ([OFFICES], [OFFICE], []),
        ([OFFICE], [], []),
        ([OFFICE], [OFFICE], []),
    ],
)
def test_a_network_policy_that_lets_more_in_is_told(before: list[Any], after: list[Any], told: list[str]) -> None:
    diff = edited({"networkPolicy.from": after}, {"networkPolicy.from": before})
    assert danger_texts(diff, "protection lifted") == told
    assert {danger.path for danger in diff.dangers if danger.text in told} <= {"networkPolicy.from"}


def test_googles_own_clients_are_no_danger_of_the_policy() -> None:
    diff = edited({"monitoring.podMonitoring": True, "expose": {"to": "network"}}, {})
    assert danger_texts(diff, "protection lifted") == []


def test_a_load_balancer_opens_the_pods_by_its_own_key() -> None:
    diff = edited({f"{W}.service": {"type": "LoadBalancer"}}, {})
    (told,) = [danger for danger in diff.dangers if danger.kind == "protection lifted"]
    assert told.path.endswith(".service.type")
    assert told.text.startswith("10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 may connect to")


def test_a_workload_that_runs_nothing_any_more_is_no_update_without_downtime() -> None:
    (workload,) = edited({f"{W}.replicas": 0}, {f"{W}.replicas": 2}).workloads
    assert workload.interruption.expected and "last pod" in workload.interruption.why
    (again,) = edited({f"{W}.replicas": 2}, {f"{W}.replicas": 0}).workloads
    assert not again.interruption.expected


def test_the_service_turns_to_other_pods_where_the_first_are_kept_off_spot() -> None:
    pool = {"machineType": "g2-standard-8", "maxNodes": 6}
    pools = {"s": {**pool, "spot": True}, "d": pool}
    classes = {"both": {"priorities": [{"nodePool": "s"}, {"nodePool": "d"}]}}
    base = factories.serving({"qwen": factories.workload(computeClass="both", replicas=3)}, pools=pools)
    base["computeClasses"] = classes
    kept = {"workloads.qwen.minOnDemand": 1}
    (gained,) = edited(kept, {}, base).workloads
    assert gained.interruption.expected and "1 of 3 serve" in gained.interruption.why
    (lost,) = edited({"workloads.qwen.minOnDemand": 0}, kept, base).workloads
    assert lost.interruption.expected and "2 of 3 serve" in lost.interruption.why
    (all_kept,) = edited({"workloads.qwen.minOnDemand": 3}, {}, base).workloads
    assert not all_kept.interruption.expected
    (more,) = edited({"workloads.qwen.minOnDemand": 2}, kept, base).workloads
    assert not more.interruption.expected


EXPOSED = {"expose": {"to": "internet", "host": "llm.example.com", "certificate": {"secret": "t"}}}


@pytest.mark.parametrize(
    ("given", "values", "why"),
    [
        ({}, {f"{W}.service": {"port": 8080}}, "the Service answers at port 8080 in place of 8000"),
        ({}, {f"{W}.service": {"tls": {"secret": "x"}}}, "the pods speak https in place of http"),
        (
            {**EXPOSED, f"{W}.service": {"tls": {"secret": "x"}}},
            {f"{W}.service": {}},
            "speak http in place of https, clients must follow, and the gateway reaches none until all have restarted",
        ),
        (EXPOSED, {"workloads.two": factories.workload(nodePool="l4")}, f"{W}.expose.path: / keeps it"),
        (EXPOSED, {"expose.host": "other.example.com"}, "at https://other.example.com in place of https://llm.example"),
        (EXPOSED, {"expose.to": "network"}, "another gateway serves it"),
        (EXPOSED, {f"{W}.expose": {"enabled": False}}, "the gateway serves it no more"),
        (EXPOSED, {f"{W}.expose": {"paths": ["/tokenize"]}}, "the gateway serves /v1 no more"),
        ({}, {f"{W}.apiKey": {"secret": "s"}}, "clients must send the API key"),
        ({f"{W}.service": {"type": "LoadBalancer"}}, {f"{W}.service": {}}, "load balancer goes"),
    ],
)
def test_an_update_that_cuts_clients_off_is_none_without_downtime(
    given: Mapping[str, Any], values: Mapping[str, Any], why: str
) -> None:
    noticed = next(part for part in edited(values, given).workloads if part.name == "qwen").interruption
    assert noticed.expected and why in noticed.why


@pytest.mark.parametrize(
    "values",
    [
        {f"{W}.expose": {"inferencePool": True}},
        {f"{W}.expose": {"paths": ["/"]}},
        {f"{W}.expose": {"path": "/"}, "workloads.two": factories.workload(nodePool="l4")},
    ],
)
def test_a_route_that_serves_all_as_before_cuts_nobody_off(values: Mapping[str, Any]) -> None:
    noticed = next(part for part in edited(values, EXPOSED).workloads if part.name == "qwen").interruption
    assert not noticed.expected


def test_a_restart_that_takes_the_one_pod_away_is_told_beside_the_new_port() -> None:
    (part,) = edited({f"{W}.service": {"port": 8080}}, {f"{P}.maxNodes": 1}).workloads
    assert "port 8080" in part.interruption.why and "it goes first" in part.interruption.why


@pytest.mark.parametrize(
    ("given", "values", "why"),
    [
        ({f"{W}.replicas": 0}, {f"{W}.engine.enforceEager": True}, "no pod runs"),
        ({f"{W}.replicas": 0}, {f"{W}.replicas": 1}, "it serves once its first pod has loaded"),
        ({f"{W}.replicas": 0}, {f"{P}.autoRepair": False}, "no pod runs"),
    ],
)
def test_what_has_no_pod_restarts_none(given: dict[str, Any], values: dict[str, Any], why: str) -> None:
    (part,) = edited(values, given).workloads
    assert (part.interruption.expected, part.interruption.why) == (False, why)


@pytest.mark.parametrize(
    ("given", "values", "at"),
    [
        (
            {"expose": {"to": "network", "certificate": {"secret": "t"}}},
            {"expose.certificate": DROP},
            "expose.certificate",
        ),
        ({f"{W}.service": {"tls": {"secret": "t"}}}, {f"{W}.service": DROP}, f"{W}.service.tls"),
        (
            {"expose": {"to": "network", "certificate": {"secret": "t"}}, f"{W}.service": {"type": "LoadBalancer"}},
            {"expose": DROP},
            f"{W}.service.type",
        ),
    ],
)
def test_a_certificate_that_goes_is_a_protection_that_is_lifted(
    given: dict[str, Any], values: dict[str, Any], at: str
) -> None:
    (lifted,) = [each for each in edited(values, given).dangers if each.kind == "protection lifted"]
    assert lifted.path == at and "crosses the network in plain text" in lifted.text


def test_a_certificate_that_stays_or_goes_with_the_gateway_is_none() -> None:
    shown = {"expose": {"to": "network", "certificate": {"secret": "t"}}}
    assert danger_texts(edited({"expose": DROP}, shown), "protection lifted") == []
    to_service = edited({"expose": DROP, f"{W}.service": {"type": "LoadBalancer"}}, shown)
    assert "crosses the network in plain text" in danger_texts(to_service, "protection lifted")[-1]
    guarded = {"type": "LoadBalancer", "tls": {"secret": "t"}}
    to_guarded = danger_texts(edited({"expose": DROP, f"{W}.service": guarded}, shown), "protection lifted")
    assert not [told for told in to_guarded if "plain text" in told]
    assert danger_texts(edited({"expose.certificate.secret": "other"}, shown), "protection lifted") == []
