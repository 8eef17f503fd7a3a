"""Pool and picker of a workload: what they look at, their order, and who must not be selected."""

from typing import Any

import pytest

from l4serve.cli.commands.render_command import Rendered
from l4serve.config.refusals.problems import ConfigError
from tests import factories
from tests.components.test_custom_kinds import faults
from tests.stack_cases import made

POOLED = {"inferencePool": True}


def rendered(**fields: Any) -> Rendered:
    workload = factories.workload(**{"expose": POOLED, **fields})
    return made(factories.serving({"qwen": workload}, expose={"to": "network"}))


def one(found: Rendered, kind: str, name: str) -> Any:
    (each,) = [each for each in found.objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return each


def test_the_pool_holds_the_pods_and_asks_the_picker() -> None:
    found = rendered()
    pool = one(found, "InferencePool", "qwen")["spec"]
    pods = one(found, "Deployment", "qwen")["spec"]["template"]["metadata"]["labels"]
    assert pool["selector"]["matchLabels"].items() <= pods.items()
    assert pool["targetPorts"] == [{"number": 8000}]
    assert pool["endpointPickerRef"]["name"] == one(found, "Service", "qwen-picker")["metadata"]["name"]
    assert [port["appProtocol"] for port in one(found, "Service", "qwen-picker")["spec"]["ports"]] == ["http2"]
    assert faults(found.objects) == []


def test_route_and_policies_aim_at_the_pool() -> None:
    found, target = rendered(), {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "qwen"}
    (rule,) = one(found, "HTTPRoute", "qwen")["spec"]["rules"]
    assert rule["backendRefs"] == [target]
    for kind in ("HealthCheckPolicy", "GCPBackendPolicy"):
        assert one(found, kind, "qwen-picker")["spec"]["targetRef"] == target


def test_the_service_keeps_its_policies_until_the_route_has_turned_to_the_pool() -> None:
    plain = made(factories.serving({"qwen": factories.workload()}, expose={"to": "network"}))
    kinds = ("HealthCheckPolicy", "GCPBackendPolicy")
    pooled, alone = (
        {(each["kind"], each["metadata"]["name"]) for each in found.objects if each["kind"] in kinds}
        for found in (rendered(), plain)
    )
    assert len(pooled) == len(alone) == 2
    assert not pooled & alone, "one that both have is turned to the pool before the route is"


def test_the_picker_is_none_of_the_pods_and_passes_restricted() -> None:
    found = rendered()
    picker = one(found, "Deployment", "qwen-picker")["spec"]["template"]
    selector = one(found, "Service", "qwen")["spec"]["selector"].items()
    assert not selector <= picker["metadata"]["labels"].items()
    (container,) = picker["spec"]["containers"]
    assert picker["spec"]["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert "--pool-name=qwen" in container["args"]
    role = one(found, "Role", "qwen-picker")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "watch", "list"}


def template(found: Rendered, name: str) -> Any:
    return one(found, "Deployment", name)["spec"]["template"]


@pytest.mark.parametrize(
    "fields",
    [
        {"extraEnv": {"A": "1"}},
        {"extraArgs": ["--max-log-len=5"]},
        {"apiKey": {"secret": "s"}},
        {"apiKey": {"config": "chatKey", "revision": 2}},
        {"shm": "3Gi"},
        {"resources": {"requests": {"cpu": "3"}}},
        {"labels": {"team": "search"}},
        {"podSecurity": {"level": "baseline"}},
        {"podSecurity": {"writable": ["/data"]}},
        {"env": {"X_SETTING": {"secret": "a", "key": "b"}}},
        {"compileCache": {"claim": "compiled"}},
        {"serviceAccount": {"name": "kept"}},
        {"service": {"port": 8080}},
        {"replicas": 2},
        {"autoscaling": {"maxReplicas": 2}},
        {"service": {"name": "other"}},
        {"expose": {**POOLED, "timeoutSeconds": 60}},
    ],
    ids=str,
)
def test_it_starts_anew_after_pods_that_do_and_after_no_others(fields: dict[str, Any]) -> None:
    before, after = rendered(), rendered(**fields)
    restarted = template(before, "qwen") != template(after, "qwen")
    annotations = [template(found, "qwen-picker")["metadata"]["annotations"] for found in (before, after)]
    assert (annotations[0] != annotations[1]) == restarted


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"engine": {"kind": "tgi", "version": "3.3.7", "maxModelLen": None}}, "no metrics of TGI"),
        ({"service": {"tls": {"secret": "t"}}}, "plain HTTP"),
    ],
)
def test_where_it_could_not_choose_it_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        rendered(**fields)
    assert told in str(refused.value) and "workloads.qwen.expose.inferencePool" in str(refused.value)


def test_a_model_of_recordings_alone_is_refused_as_a_reranker_is() -> None:
    for model, asked in (("openai/whisper-large-v3", "transcription"), ("BAAI/bge-reranker-v2-m3", "score")):
        workload = factories.workload(model, engine={"maxModelLen": None}, expose=POOLED)
        with pytest.raises(ConfigError, match=f"the picker refuses every request for {asked}"):
            factories.planned(factories.serving({"one": workload}, expose={"to": "network"}))
    both = factories.workload("Qwen/Qwen2.5-1.5B-Instruct", expose=POOLED)
    assert factories.planned(factories.serving({"one": both}, expose={"to": "network"}))


def test_a_policy_closes_the_picker_to_all_but_the_load_balancer() -> None:
    found = rendered()
    spec = one(found, "NetworkPolicy", "qwen-picker")["spec"]
    labels = one(found, "Deployment", "qwen-picker")["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"].items() <= labels.items()
    (asked,) = spec["ingress"]
    assert {port["port"] for port in asked["ports"]} == {9002, 9003}
    assert {peer["ipBlock"]["cidr"] for peer in asked["from"]} == {"10.129.0.0/23", "35.191.0.0/16", "130.211.0.0/22"}
    assert {port["port"] for rule in spec["egress"] for port in rule["ports"]} == {53, 80, 443, 988, 8000}


def test_the_pool_holds_the_pods_of_both_deployments() -> None:
    pools = {"l4": factories.POOL, "l4-spot": {**factories.POOL, "spot": True}}
    classes = {"gpus": {"priorities": [{"nodePool": "l4-spot"}, {"nodePool": "l4"}]}}
    workload = factories.workload(expose=POOLED, replicas=3, minOnDemand=1, computeClass="gpus")
    newest = {**factories.ZONAL, "minVersion": "1.35.1-gke.1396000"}
    serving = factories.serving(
        {"qwen": workload}, cluster=newest, pools=pools, computeClasses=classes, expose={"to": "network"}
    )
    found = made(serving)
    pool = one(found, "InferencePool", "qwen")["spec"]["selector"]["matchLabels"].items()
    for name in ("qwen", "qwen-on-demand"):
        assert pool <= one(found, "Deployment", name)["spec"]["template"]["metadata"]["labels"].items()


def test_the_picker_stays_where_the_pods_do_not_restart() -> None:
    pools = {"l4": factories.POOL, "l4-spot": {**factories.POOL, "spot": True}}
    classes = {"gpus": {"priorities": [{"nodePool": "l4-spot"}, {"nodePool": "l4"}]}}
    newest = {**factories.ZONAL, "minVersion": "1.35.1-gke.1396000"}

    def of_picker(**fields: Any) -> Any:
        workload = factories.workload(expose=POOLED, replicas=3, computeClass="gpus", **fields)
        serving = factories.serving(
            {"qwen": workload}, cluster=newest, pools=pools, computeClasses=classes, expose={"to": "network"}
        )
        return one(made(serving), "Deployment", "qwen-picker")["spec"]["template"]

    one_kept = of_picker(minOnDemand=1)
    assert of_picker(minOnDemand=2) == one_kept
    assert of_picker() != one_kept, "the pods restart, and the picker after them"
