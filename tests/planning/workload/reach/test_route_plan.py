"""Routes on the stack's gateway: where, which paths, for whom, and what is refused."""

import json
from typing import Any

import pytest
import yaml

from l4serve.config.keys.exposure import MOST_PATHS
from l4serve.config.refusals.problems import ConfigError
from l4serve.engines.releases.contract import contract_versions, load_contract
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.note import note_kind
from l4serve.planning.workload.reach.endpoint_picker import picker_notes
from l4serve.planning.workload.reach.route_plan import RoutePlan
from tests import factories
from tests.each_case import each
from tests.stack_cases import ROOT

INTERNET = {"to": "internet", "host": "llm.example.com", "certificate": {"certificateManager": "llm"}}
NETWORK = {"to": "network"}
KEY = {"secret": "kept"}
TGI = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None}


def plan(workloads: dict[str, Any] | None = None, expose: dict[str, Any] = INTERNET, **fields: Any) -> StackPlan:
    return factories.planned(factories.serving(workloads, expose=expose, **fields))


def refusal(workloads: dict[str, Any] | None = None, **fields: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        factories.planned(factories.serving(workloads, **fields))
    return str(refused.value)


def route(found: StackPlan, name: str = "qwen") -> RoutePlan:
    (workload,) = [each for each in found.workloads if each.name == name]
    assert workload.route is not None
    return workload.route


def test_an_only_workload_is_served_at_the_root_and_several_below_their_names() -> None:
    assert route(plan()).url == "https://llm.example.com"
    two = plan({"a": factories.workload(), "b": factories.workload(expose={"path": "/chat"})})
    assert [route(two, name).url for name in "ab"] == ["https://llm.example.com/a", "https://llm.example.com/chat"]
    own = plan({"a": factories.workload(), "b": factories.workload(expose={"host": "b.example.com"})})
    assert route(own, "b").url == "https://b.example.com"


def test_a_renamed_workload_is_served_where_it_was() -> None:
    two = plan({"new": factories.workload(renamedFrom="a"), "b": factories.workload()})
    assert route(two, "new").url == "https://llm.example.com/a"


def test_only_what_asks_for_the_key_is_served() -> None:
    assert route(plan({"qwen": factories.workload(apiKey=KEY)})).paths == ("/v1",)
    paths = route(plan({"qwen": factories.workload(engine=TGI, apiKey=KEY)})).paths
    assert "/generate" in paths and not {"/v1/models", "/metrics", "/info"} & {*paths}


def test_a_path_without_the_key_is_told_of() -> None:
    found = plan({"qwen": factories.workload(apiKey=KEY, expose={"paths": ["/v1/chat", "/tokenize"]})})
    (note,) = [note for note in found.notes if note.id == "unguarded-path"]
    assert "reaches /tokenize without" in note.text


def test_a_public_engine_without_a_key_is_a_danger_before_all_else() -> None:
    (danger,) = [note for note in plan().notes if note.level == "danger"]
    assert danger.path == "workloads.qwen.expose" and "everybody on the internet" in danger.text
    assert not [note for note in plan({"qwen": factories.workload(apiKey=KEY)}).notes if note.level == "danger"]
    assert not [note for note in plan(expose=NETWORK).notes if note.level == "danger"]


@pytest.mark.parametrize(("paths", "levels"), [(["/"], ["danger"]), (["/invocations"], ["danger"]), (["/health"], [])])
def test_the_model_past_its_key_is_a_danger_on_the_internet(paths: list[str], levels: list[str]) -> None:
    found = plan({"qwen": factories.workload(apiKey=KEY, expose={"paths": paths})})
    assert [note.level for note in found.notes if note.id == "public-past-the-key"] == levels
    inside = plan({"qwen": factories.workload(apiKey=KEY, expose={"paths": paths})}, expose=NETWORK)
    assert [note.id for note in inside.notes if note.level == "danger"] == []


def test_all_below_v1_of_tgi_asks_for_the_key_or_needs_no_model() -> None:
    profile = engine_profile("tgi")
    for version in contract_versions("tgi"):
        below = [path for path in load_contract("tgi", version).paths if path.startswith("/v1/")]
        assert profile.past_key(below) == (), version
    found = plan({"qwen": factories.workload(engine=TGI, apiKey=KEY, expose={"paths": ["/v1"]})})
    assert [note for note in found.notes if note.level == "danger"] == []
    (note,) = [note for note in found.notes if note.id == "unguarded-path"]
    assert "reaches /v1/models without the API key" in note.text


def test_a_key_that_crosses_the_network_in_plain_text_is_told() -> None:
    def told(expose: dict[str, Any], **fields: Any) -> list[str]:
        found = plan({"qwen": factories.workload(**fields)}, expose)
        return [note.path for note in found.notes if note.id == "key-in-plain-text"]

    assert told(NETWORK, apiKey=KEY) == ["workloads.qwen.expose"]
    assert told({**NETWORK, "certificate": {"secret": "tls"}}, apiKey=KEY) == told(NETWORK) == []


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
def test_a_key_that_a_service_takes_in_plain_text_is_told(kind: str) -> None:
    def told(**service: Any) -> list[str]:
        chat = factories.workload(apiKey=KEY, service=service)
        plan = factories.planned(factories.serving({"qwen": chat}))
        return [note.path for note in plan.notes if note.id == "key-in-plain-text"]

    assert told(type=kind) == ["workloads.qwen"]
    assert told(type=kind, tls={"secret": "tls"}) == told() == []


def test_two_workloads_may_share_a_prefix_that_neither_serves_the_same_paths_of() -> None:
    def two(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
        return {"a": factories.workload(expose=first), "b": factories.workload(expose=second)}

    told = refusal(two({"path": "/x", "paths": ["/y"]}, {"path": "/", "paths": ["/x/y"]}), expose=NETWORK)
    assert "workloads.b.expose.path: a is served at any host/x/y too" in told
    assert plan(two({"path": "/x", "paths": ["/y"]}, {"path": "/", "paths": ["/x/z"]}), NETWORK).workloads


def test_a_picker_on_autopilot_has_no_system_nodes() -> None:
    found = plan({"qwen": factories.workload(expose=PICKED)}, NETWORK, cluster=factories.AUTOPILOT)
    (note,) = [note.text for note in found.notes if note.id == "picker-on-system-nodes"]
    assert "Autopilot bills" in note and "system" not in note


def test_a_workload_may_stay_inside() -> None:
    found = plan({"a": factories.workload(), "b": factories.workload(expose={"enabled": False})})
    assert [workload.route is not None for workload in found.workloads] == [True, False]


def test_pods_admit_the_proxies_and_the_health_checks() -> None:
    (workload,) = plan().workloads
    assert workload.network is not None
    assert {"10.129.0.0/23 (TCP 8000)", "35.191.0.0/16 (TCP 8000)"} <= {*workload.network.admits}
    (inside,) = factories.planned(factories.serving()).workloads
    assert inside.network is not None and not [each for each in inside.network.admits if "35.191" in each]


def test_the_gateway_of_an_existing_cluster_needs_what_the_stack_does_not_make() -> None:
    found = plan(expose=NETWORK, cluster=factories.EXISTING)
    assert {"gateway-elsewhere", "proxy-subnet-elsewhere"} <= {note.id for note in found.notes}
    assert found.gateway is not None and found.gateway.proxy_subnet is None


PICKED = {"inferencePool": True}


@pytest.mark.parametrize("task", ["score", "classify", "reward"])
def test_a_picker_that_reads_no_such_request_is_refused(task: str) -> None:
    engine = {"version": "0.10.0", "task": task}
    told = refusal({"a": factories.workload(engine=engine, expose=PICKED)}, expose=NETWORK)
    assert f"workloads.a.expose.inferencePool: the picker refuses every request for {task}" in told
    assert route(plan({"qwen": factories.workload(engine={**engine, "task": "embed"}, expose=PICKED)})).picker


def test_a_picker_reads_the_cache_by_the_name_that_the_release_shows() -> None:
    def extractor(version: str) -> Any:
        picker = route(plan({"qwen": factories.workload(engine={"version": version}, expose=PICKED)})).picker
        assert picker is not None
        plugins = json.loads(picker.config)["plugins"]
        return next(each for each in plugins if each["type"] == "core-metrics-extractor").get("parameters")

    assert extractor("0.26.0") is None
    (old,) = extractor("0.9.0")["engineConfigs"]
    assert (old["name"], old["kvUsageSpec"]) == ("vllm", "vllm:gpu_cache_usage_perc")
    assert old["queuedRequestsSpec"] == "vllm:num_requests_waiting"


def test_a_picker_takes_its_api_and_a_version_that_knows_its_pool() -> None:
    def told(**cluster: Any) -> tuple[list[str], tuple[str, ...]]:
        workloads = {"qwen": factories.workload(expose=PICKED)}
        found = plan(workloads, NETWORK, cluster={**factories.ZONAL, **cluster})
        assert found.cluster.managed is not None
        return [n.text for n in found.notes if n.id == "inference-pool-kind"], found.cluster.managed.apis

    notes, apis = told()
    assert len(notes) == 1 and "networkservices.googleapis.com" in apis
    assert told(minVersion="1.34.0-gke.1626000")[0] == told(minVersion="1.35")[0] == []
    assert len(told(minVersion="1.34.0-gke.100")[0]) == 1
    plain = plan(expose=NETWORK).cluster.managed
    assert plain is not None and "networkservices.googleapis.com" not in plain.apis


def test_a_model_of_recordings_too_is_told_what_the_picker_does_not_read() -> None:
    def told(architecture: str) -> list[str]:
        served = load_contract("vllm", "0.26.0").served(architecture)
        cluster = plan({"qwen": factories.workload()}, NETWORK).cluster
        return [note for note in picker_notes(cluster, served) if note_kind(note).id == "picker-without-sounds"]

    assert told("Gemma3nForConditionalGeneration")
    assert not told("Qwen2ForCausalLM")


TWO = {"a": factories.workload(), "b": factories.workload(expose={"path": "/a"})}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no gateway": ({"workloads": {"a": factories.workload(expose={})}}, "set expose for the stack"),
    "plain text on the internet": ({"expose": {"to": "internet"}}, "add certificate: {"),
    "one place": ({"workloads": TWO, "expose": INTERNET}, "a is served at llm.example.com/a too"),
    "gateway off": ({"expose": NETWORK, "cluster": {**factories.ZONAL, "gatewayApi": False}}, "cluster.gatewayApi"),
    "overlap": ({"expose": {**NETWORK, "proxyOnlyCidr": "10.4.0.0/23"}}, "overlaps 10.4.0.0/14"),
    "host bits": ({"expose": {**NETWORK, "proxyOnlyCidr": "10.129.0.5/23"}}, "write it as 10.129.0.0/23"),
    "small": ({"expose": {**NETWORK, "proxyOnlyCidr": "10.129.0.0/28"}}, "too small"),
    "two addresses": ({"expose": {**NETWORK, "address": "a", "reserveAddress": True}}, "reserved already"),
    "two certificates": ({"expose": {**INTERNET, "certificate": {"secret": "a", "certificateManager": "b"}}}, "one"),
    "seventeen paths": (
        {"workloads": {"a": factories.workload(expose={"paths": [f"/v1/{n}" for n in range(17)]})}, "expose": NETWORK},
        "workloads.a.expose.paths",
    ),
    "a path twice": (
        {"workloads": {"a": factories.workload(expose={"paths": ["/v1", "/v1"]})}, "expose": NETWORK},
        "paths names /v1 twice",
    ),
    "no path": ({"workloads": {"a": factories.workload(expose={"paths": []})}, "expose": NETWORK}, "unset it"),
    "unknown network": (
        {"expose": {**NETWORK, "makeProxyOnlySubnet": True}, "cluster": factories.EXISTING},
        "make the proxy-only subnet of the region yourself",
    ),
    "unknown region": (
        {"expose": {**NETWORK, "reserveAddress": True}, "cluster": factories.EXISTING},
        "name it in expose.address",
    ),
}


@each(REFUSED, str)
def test_what_could_not_serve_is_refused(name: str) -> None:
    fields, told = REFUSED[name]
    assert told in refusal(**fields)


def test_a_route_has_as_many_rules_as_its_kind_takes() -> None:
    kind = yaml.safe_load((ROOT / "l4serve/sandbox/crds/httproutes.yaml").read_text("utf-8"))
    for version in kind["spec"]["versions"]:
        spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        assert spec["rules"]["maxItems"] == MOST_PATHS
    most = [f"/v1/{n}" for n in range(MOST_PATHS)]
    assert len(route(plan({"qwen": factories.workload(expose={"paths": most})}, NETWORK)).paths) == MOST_PATHS


def test_a_workload_that_is_not_exposed_needs_no_gateway() -> None:
    assert factories.planned(factories.serving({"a": factories.workload(expose={"enabled": False})})).gateway is None
    assert "no gateway" in refusal({"a": factories.workload(expose={"path": "/a"})})


def test_the_path_offered_in_place_of_a_taken_one_is_free() -> None:
    both = {"a": factories.workload(expose={"path": "/"}), "v1": factories.workload(expose={"path": "/v1"})}
    told = refusal(both, expose=INTERNET)
    assert "such as /v1-2" in told
    both["v1"]["expose"]["path"] = "/v1-2"
    assert plan(both)
