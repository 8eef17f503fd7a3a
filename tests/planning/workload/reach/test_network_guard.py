"""What the policy of a workload's pods lets through."""

from typing import Any

import pytest

from l4serve.planning.workload.reach.network_guard import NetworkGuard, Opening
from tests import factories


def guard(cluster: Any = factories.ZONAL, workload: dict[str, Any] | None = None, **fields: Any) -> NetworkGuard:
    serving = factories.serving({"qwen": factories.workload(**(workload or {}))}, cluster=cluster, **fields)
    (planned,) = factories.planned(serving).workloads
    assert planned.network is not None
    return planned.network


def to_port(openings: tuple[Opening, ...], port: int, protocol: str = "TCP") -> set[str | None]:
    peers = [peer for opening in openings if (protocol, port) in opening.ports for peer in opening.peers]
    return {peer.cidr or peer.namespace for peer in peers}


def test_only_the_namespace_comes_in() -> None:
    found = guard(workload={"service": {"port": 9000}})
    assert [(o.ports, [(p.cidr, p.namespace) for p in o.peers]) for o in found.ingress] == [
        ((("TCP", 9000),), [(None, None)])
    ]


def test_the_collector_comes_in_where_metrics_are_scraped() -> None:
    assert "gmp-system" not in to_port(guard().ingress, 8000)
    assert {"gmp-system", "gke-gmp-system"} <= to_port(guard(monitoring={"podMonitoring": True}).ingress, 8000)


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
def test_private_clients_of_a_load_balancer_come_in(kind: str) -> None:
    found = to_port(guard(workload={"service": {"type": kind}}).ingress, 8000)
    assert {"10.0.0.0/8", "192.168.0.0/16"} <= found and "0.0.0.0/0" not in found


def test_names_tokens_and_weights_go_out() -> None:
    egress = guard().egress
    assert {"kube-system", "169.254.20.10/32"} <= to_port(egress, 53, "UDP") == to_port(egress, 53)
    assert to_port(egress, 988) == {"169.254.169.252/32"}
    assert to_port(egress, 80) == {"169.254.169.254/32"}
    assert to_port(egress, 443) == {"0.0.0.0/0"}
    assert {port for opening in egress for _, port in opening.ports} == {53, 80, 443, 988}


def test_the_cluster_s_own_ranges_are_no_source_of_weights() -> None:
    public = {**factories.ZONAL, "networkOptions": {"podsCidr": "34.0.0.0/14"}}
    for cluster, own in ((factories.ZONAL, "10.0.0.0/8"), (public, "34.0.0.0/14"), (factories.EXISTING, "10.0.0.0/8")):
        (weights,) = [opening for opening in guard(cluster).egress if opening.ports == (("TCP", 443),)]
        assert own in weights.peers[0].outside


def test_a_role_on_a_bucket_is_of_use_to_pods_whose_weights_come_from_elsewhere() -> None:
    for account, reached in ({}, set()), ({"buckets": {"my-logs": "write"}}, {"0.0.0.0/0"}):
        config = factories.serving({"qwen": factories.workload(serviceAccount=account)}, cluster=factories.ZONAL)
        config["workloads"]["qwen"]["model"]["source"] = {"kind": "claim", "claim": "models"}
        (planned,) = factories.planned(config).workloads
        assert planned.network is not None and to_port(planned.network.egress, 443) == reached


def test_more_is_opened_by_name() -> None:
    more = {"from": [{"namespace": "search"}], "to": [{"cidr": "10.2.0.8/32", "port": 3128}, {"namespace": "otel"}]}
    found = guard(networkPolicy=more)
    assert "search" in to_port(found.ingress, 8000)
    assert to_port(found.egress, 3128) == {"10.2.0.8/32"}
    assert "otel" in to_port(found.egress, 443)


def test_it_can_be_turned_off() -> None:
    (workload,) = factories.planned(factories.serving(networkPolicy={"enabled": False})).workloads
    assert workload.network is None


def closed(workload: dict[str, Any], **fields: Any) -> list[str]:
    found = factories.planned(factories.serving({"qwen": factories.workload(**workload)}, **fields))
    return [note.text.split()[0] for note in found.notes if note.id == "closed-way"]


@pytest.mark.parametrize(
    ("workload", "named"),
    [
        ({"extraEnv": {"HTTPS_PROXY": "http://proxy.example.com:3128"}}, ["HTTPS_PROXY"]),
        ({"extraEnv": {"HF_ENDPOINT": "https://10.0.0.7"}}, ["HF_ENDPOINT"]),
        ({"extraEnv": {"HF_ENDPOINT": "https://hub.corp.internal"}}, ["HF_ENDPOINT"]),
        ({"extraArgs": ["--otlp-traces-endpoint=grpc://otel.tracing:4317"]}, ["--otlp-traces-endpoint"]),
        ({"env": {"HTTPS_PROXY": {"configMap": "net", "key": "proxy"}}}, ["HTTPS_PROXY"]),
        ({"extraEnv": {"HF_ENDPOINT": "https://hf-mirror.example.com"}}, []),
        ({}, []),
    ],
)
def test_a_way_that_the_policy_may_close_is_told_of(workload: dict[str, Any], named: list[str]) -> None:
    assert closed(workload) == named


def test_who_opens_ways_or_closes_nothing_is_told_nothing() -> None:
    proxied = {"extraEnv": {"HTTPS_PROXY": "http://10.0.0.8:3128"}}
    assert closed(proxied, networkPolicy={"to": [{"cidr": "10.0.0.8/32", "port": 3128}]}) == []
    assert closed(proxied, networkPolicy={"enabled": False}) == []


@pytest.mark.parametrize(
    ("place", "to", "told"),
    [
        ("http://10.0.0.4:3128", {"cidr": "10.9.0.0/16", "port": 3128}, True),
        ("http://10.0.0.4:3128", {"cidr": "10.0.0.0/16", "port": 9}, True),
        ("http://10.0.0.4:3128", {"namespace": "proxies", "port": 3128}, True),
        ("http://10.0.0.4:3128", {"cidr": "10.0.0.0/16", "port": 3128}, False),
        ("http://proxy.corp.internal:3128", {"cidr": "10.9.0.0/16", "port": 3128}, False),
        ("http://squid.proxies:3128", {"namespace": "proxies", "port": 3128}, False),
        ("http://squid.proxies:3128", {"namespace": "others", "port": 3128}, True),
    ],
)
def test_only_what_opens_a_way_silences_its_warning(place: str, to: dict[str, Any], told: bool) -> None:
    assert closed({"extraEnv": {"HTTPS_PROXY": place}}, networkPolicy={"to": [to]}) == ["HTTPS_PROXY"] * told


CLAIM = {"kind": "claim", "claim": "weights"}
DRAFT = {"engine": {"speculativeConfig": {"model": "Qwen/Qwen2.5-0.5B-Instruct", "num_speculative_tokens": 3}}}
NGRAM = {"engine": {"speculativeConfig": {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4}}}


def of_claim(**workload: Any) -> dict[str, Any]:
    given = factories.workload(**workload)
    return {**given, "model": {**given["model"], "source": CLAIM}}


@pytest.mark.parametrize(
    ("workload", "outside"),
    [
        ({}, False),
        (DRAFT, True),
        (NGRAM, False),
        ({"extraArgs": ["--hf-config-path=org/config"]}, True),
        ({"extraArgs": ["--hf-config-path", "org/config"]}, True),
        ({"engine": {"tokenizer": "org/words"}}, True),
        ({"engine": {"lora": {"adapters": [{"name": "sql", "path": "org/sql-adapter"}]}}}, True),
    ],
)
def test_what_the_hub_gives_beside_the_model_goes_out_and_has_the_token(
    workload: dict[str, Any], outside: bool
) -> None:
    serving = factories.serving(
        {"qwen": of_claim(**workload)}, cluster=factories.ZONAL, huggingFace={"existingSecret": "hub"}
    )
    (planned,) = factories.planned(serving).workloads
    assert planned.network is not None
    assert bool(to_port(planned.network.egress, 443)) is outside
    assert (planned.secret is not None) is outside


def test_media_by_url_are_told_of_where_nothing_goes_out() -> None:
    def told(model: str, **fields: Any) -> bool:
        see = of_claim(model=model, engine={"maxModelLen": 4096})
        found = factories.planned(factories.serving({"see": see}, **fields))
        return any(note.id == "media-closed" for note in found.notes)

    assert told("Qwen/Qwen2.5-VL-3B-Instruct")
    assert not told("Qwen/Qwen2.5-3B-Instruct")
    assert not told("Qwen/Qwen2.5-VL-3B-Instruct", networkPolicy={"to": [{"cidr": "203.0.113.0/24", "port": 443}]})
