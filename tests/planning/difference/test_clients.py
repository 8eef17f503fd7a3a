"""What an update means to those who ask: another key, name or door, and requests that are refused from then on."""

from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.config.stack_file import PROJECT, SERVING_KEY, parse_stack
from l4serve.planning.difference.differ import diff_plans
from l4serve.planning.difference.stack_diff import Interruption, StackDiff
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories
from tests.planning.difference.scenarios import BASE, DROP, W, difference, with_values

LORA = {"adapters": [{"name": "law", "path": "org/law"}, {"name": "tax", "path": "org/tax"}]}
INTERNET = {"expose": {"to": "internet", "host": "llm.example.com", "certificate": {"secret": "t"}}}
TGI = {"kind": "tgi", "version": "3.3.6", "maxInputTokens": 4000, "maxTotalTokens": 4096}
READS_IMAGES = "Qwen/Qwen2.5-VL-3B-Instruct"


def noticed(values: Mapping[str, Any], given: Mapping[str, Any] = {}) -> Interruption:
    before = with_values(BASE, given)
    diff = difference(before, with_values(before, values))
    return next(part for part in diff.workloads if part.name == "qwen").interruption


@pytest.mark.parametrize(
    ("given", "values", "why"),
    [
        ({f"{W}.apiKey": {"secret": "a"}}, {f"{W}.apiKey.secret": "b"}, "from Secret b (api-key) in place of Secret a"),
        ({f"{W}.apiKey": {"secret": "a"}}, {f"{W}.apiKey.key": "other"}, "from Secret a (other) in place of"),
        (
            {f"{W}.apiKey": {"secret": "a"}},
            {f"{W}.apiKey": {"config": "chatKey"}},
            "from chatKey of the config in place of",
        ),
        (
            {f"{W}.apiKey": {"config": "chatKey"}},
            {f"{W}.apiKey.config": "otherKey"},
            "from otherKey of the config in place of chatKey of the config",
        ),
        (
            {f"{W}.apiKey": {"config": "chatKey"}},
            {f"{W}.apiKey.revision": 2},
            "the key that chatKey of the config was set to",
        ),
        (
            {f"{W}.apiKey": {"secretManager": {"secret": "k", "version": "1"}}, "cluster.secretManager": True},
            {f"{W}.apiKey.secretManager.version": "2"},
            "secrets/k/versions/2 in place of projects/my-project/secrets/k/versions/1",
        ),
        ({}, {f"{W}.engine.servedModelName": ["chat"]}, "served as Qwen/Qwen2.5-7B-Instruct, and clients must ask for"),
        (
            {f"{W}.engine.servedModelName": ["chat", "old"]},
            {f"{W}.engine.servedModelName": ["chat"]},
            "no model is served as old, and clients must ask for chat",
        ),
        ({}, {f"{W}.model.id": "Qwen/Qwen2.5-3B-Instruct"}, "clients must ask for Qwen/Qwen2.5-3B-Instruct"),
        (
            {f"{W}.engine.lora": LORA},
            {f"{W}.engine.lora.adapters": LORA["adapters"][:1]},
            "no adapter is served as tax",
        ),
        ({f"{W}.engine.lora": LORA}, {f"{W}.engine.lora": DROP}, "no adapter is served as law, tax"),
        ({}, {f"{W}.engine.maxModelLen": 4096}, "requests above 4,096 tokens, prompt and answer together, are refused"),
        (
            {f"{W}.engine": TGI},
            {f"{W}.engine.maxInputTokens": 2000},
            "requests with a prompt above 2,000 tokens are refused",
        ),
        ({f"{W}.engine": TGI}, {f"{W}.engine.maxBestOf": 1}, "best_of above 1"),
        ({f"{W}.engine": TGI}, {f"{W}.engine": BASE["workloads"]["qwen"]["engine"]}, "does not answer at /info"),
        ({}, {f"{W}.engine.maxLogprobs": 5}, "logprobs above 5"),
        ({f"{W}.engine.maxLogprobs": -1}, {f"{W}.engine.maxLogprobs": DROP}, "logprobs above 20"),
        (
            {f"{W}.engine.enableAutoToolChoice": True, f"{W}.engine.toolCallParser": "hermes"},
            {f"{W}.engine.enableAutoToolChoice": DROP, f"{W}.engine.toolCallParser": DROP},
            "requests that leave it to the model whether to call a tool are refused",
        ),
        (
            {f"{W}.model.id": READS_IMAGES, f"{W}.engine.limitMmPerPrompt": {"image": 4}},
            {f"{W}.engine.limitMmPerPrompt": {"image": 2}},
            "requests with more than 2 of image are refused",
        ),
        ({f"{W}.service": {"tls": {"secret": "a"}}}, {f"{W}.service.tls.secret": "b"}, "the certificate of Secret b"),
        ({f"{W}.service": {"type": "NodePort"}}, {f"{W}.service": {}}, "the Service's port of the nodes goes"),
        ({"networkPolicy.from": [{"namespace": "search"}]}, {"networkPolicy.from": []}, "pods of search in no more"),
        ({"networkPolicy.enabled": False}, {"networkPolicy.enabled": True}, "and nobody else"),
        (INTERNET, {"expose.address": "mine"}, "another address (mine)"),
        (INTERNET, {f"{W}.expose": {"timeoutSeconds": 60}}, "requests that take longer than 60 s"),
    ],
)
def test_clients_who_must_follow_or_are_refused_are_told_of(
    given: Mapping[str, Any], values: Mapping[str, Any], why: str
) -> None:
    found = noticed(values, given)
    assert found.expected and why in found.why, found


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({}, {f"{W}.engine.servedModelName": ["Qwen/Qwen2.5-7B-Instruct", "chat"]}),
        ({f"{W}.engine.lora": {"adapters": LORA["adapters"][:1]}}, {f"{W}.engine.lora": LORA}),
        ({}, {f"{W}.engine.maxModelLen": 16384}),
        ({f"{W}.engine.maxLogprobs": 5}, {f"{W}.engine.maxLogprobs": -1}),
        ({"networkPolicy.from": []}, {"networkPolicy.from": [{"namespace": "search"}]}),
        ({"networkPolicy.enabled": True}, {"networkPolicy.enabled": False}),
        (INTERNET, {f"{W}.expose": {"timeoutSeconds": 7200}}),
        ({f"{W}.apiKey": {"secret": "a"}}, {f"{W}.replicas": 2}),
    ],
)
def test_an_update_that_refuses_nobody_says_so(given: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    assert not noticed(values, given).expected


def test_pods_that_restart_read_a_key_anew_that_no_stack_file_shows() -> None:
    by_secret = noticed({f"{W}.extraEnv": {"A": "1"}}, {f"{W}.apiKey": {"secret": "a"}})
    assert not by_secret.expected and "read Secret a (api-key) anew" in by_secret.why
    assert "anew" not in noticed({f"{W}.replicas": 2}, {f"{W}.apiKey": {"secret": "a"}}).why
    assert "read " not in noticed({f"{W}.extraEnv": {"A": "1"}}, {f"{W}.apiKey": {"config": "chatKey"}}).why


def set_anew(name: str, serving: Mapping[str, Any]) -> StackDiff:
    """The difference where nothing but a secret of the config has another encrypted text."""
    sides = []
    for sealed in ("v1:abc:def", "v1:ghi:jkl"):
        values = {"gcp:project": "my-project", SERVING_KEY: serving, f"{PROJECT}:{name}": {"secure": sealed}}
        sides.append(parse_stack("made", values, base=factories.ROOT))
    before, after = sides
    return diff_plans("made", plan_stack(before), plan_stack(after), (before.config, after.config))


def test_a_key_that_was_set_anew_in_the_config_is_told_and_never_shown() -> None:
    diff = set_anew("chatKey", with_values(BASE, {f"{W}.apiKey": {"config": "chatKey"}}))
    (part,) = diff.workloads
    assert part.interruption.expected and "the key that chatKey of the config was set to" in part.interruption.why
    assert part.lands is not None and part.lands.text == "in place"
    assert not {"v1:abc:def", "v1:ghi:jkl"} & set(repr(diff).split("'"))


def test_a_token_that_was_set_anew_changes_its_secret_alone() -> None:
    diff = set_anew("hfToken", with_values(BASE, {f"{W}.model.gated": True}))
    assert [part.kind for part in diff.parts if part.change != "same"] == ["token"]


def test_pods_kept_off_spot_grow_in_number_without_a_restart() -> None:
    pool = {"machineType": "g2-standard-8", "maxNodes": 6}
    base = factories.serving(
        {"qwen": factories.workload(computeClass="both", replicas=3, minOnDemand=1)},
        pools={"s": {**pool, "spot": True}, "d": pool},
        computeClasses={"both": {"priorities": [{"nodePool": "s"}, {"nodePool": "d"}]}},
    )
    (more,) = difference(base, with_values(base, {f"{W}.minOnDemand": 2})).workloads
    assert more.lands is not None and more.lands.text == "in place"
    assert not more.interruption.expected and "load first" in more.interruption.why
    (fewer,) = difference(with_values(base, {f"{W}.minOnDemand": 2}), base).workloads
    assert not fewer.interruption.expected and "1 off spot end" in fewer.interruption.why


@pytest.mark.parametrize(
    ("given", "values", "why"),
    [
        (INTERNET, {"expose.reserveAddress": True}, "the gateway gets another address (llm-gateway)"),
        (INTERNET, {"expose.address": "kept"}, "the gateway gets another address (kept)"),
        ({}, {"nodePools.l4.imageType": "UBUNTU_CONTAINERD"}, "the nodes under it are made anew"),
    ],
)
def test_a_workload_that_stays_as_it_is_is_shown_where_its_clients_notice(
    given: dict[str, Any], values: dict[str, Any], why: str
) -> None:
    before = with_values(BASE, given)
    (part,) = difference(before, with_values(before, values)).workloads
    assert (part.change, part.lines, part.interruption.expected) == ("changed", (), True)
    assert why in part.interruption.why


def test_proxies_of_another_range_are_told() -> None:
    given = {"expose": {"to": "network", "makeProxyOnlySubnet": False}}
    found = noticed({"expose.proxyOnlyCidr": "10.140.0.0/23"}, given)
    assert found == Interruption(True, "the NetworkPolicy lets the gateway's proxies of 10.129.0.0/23 in no more")


@pytest.mark.parametrize(
    ("given", "why"),
    [({}, ", at another address"), ({"expose.address": "kept"}, ", and gets address kept once the old one has gone")],
)
def test_another_namespace_has_another_gateway(given: dict[str, Any], why: str) -> None:
    assert noticed({"namespace": "other"}, {**INTERNET, **given}).why.endswith(f"the gateway is made anew there{why}")
    assert "gateway" not in noticed({"namespace": "other"}).why


ZONES = ["us-central1-a", "us-central1-b"]


@pytest.mark.parametrize(
    ("zones", "gone"),
    [(["us-central1-c"], "us-central1-a, us-central1-b"), (["us-central1-a"], "us-central1-b"), (ZONES, None)],
)
def test_nodes_of_a_zone_that_a_pool_leaves_take_their_pods_along(zones: list[str], gone: str | None) -> None:
    found = noticed({"nodePools.l4.zones": zones}, {"nodePools.l4.zones": ZONES, f"{W}.replicas": 2})
    assert found.expected == bool(gone)
    assert gone is None or f"the nodes in {gone} go" in found.why


def test_zones_count_in_every_pool_of_a_class() -> None:
    pool = {"machineType": "g2-standard-8", "maxNodes": 6, "zones": ZONES}
    base = factories.serving(
        {"qwen": factories.workload(computeClass="both", replicas=2)},
        pools={"s": {**pool, "spot": True}, "d": pool},
        computeClasses={"both": {"priorities": [{"nodePool": "s"}, {"nodePool": "d"}]}},
    )
    (part,) = difference(base, with_values(base, {"nodePools.d.zones": ZONES[:1]})).workloads
    assert part.interruption.expected and "the nodes in us-central1-b go" in part.interruption.why
