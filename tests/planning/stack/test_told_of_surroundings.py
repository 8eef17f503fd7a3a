"""What a plan says of a cluster, a namespace, nodes and disks that are not the stack's, or not as fast as they seem."""

from typing import Any

import pytest

from l4serve.config.data_file import load_data
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.pods import start
from tests import factories

CLOSED = "network-policy-elsewhere"
LABEL = "pod-security-elsewhere"
POOL = {"machineType": "g2-standard-8", "maxNodes": 8, "zones": ["us-central1-a"]}


def ids(plan: StackPlan) -> list[str]:
    return [note.id for note in plan.notes]


def test_a_cluster_of_others_may_enforce_no_network_policy() -> None:
    assert CLOSED in ids(factories.planned(factories.serving(cluster=factories.EXISTING)))
    open_pods = factories.serving(cluster=factories.EXISTING, networkPolicy={"enabled": False})
    assert CLOSED not in ids(factories.planned(open_pods))
    assert CLOSED not in ids(factories.planned(factories.serving()))


def test_a_namespace_of_others_enforces_no_pod_security() -> None:
    (note,) = (n for n in factories.planned(factories.serving(createNamespace=False)).notes if n.id == LABEL)
    assert "pod-security.kubernetes.io/enforce=restricted" in note.text
    assert LABEL not in ids(factories.planned(factories.serving()))


def awaited(**fields: Any) -> list[str]:
    stack = {
        name: fields.pop(name) for name in ("cluster", "createNamespace", "expose", "huggingFace") if name in fields
    }
    model = {"id": "Qwen/Qwen2.5-1.5B-Instruct", **fields.pop("model", {})}
    chat = {**factories.workload(**fields), "model": model}
    values = factories.serving({"chat": chat}, pools={"l4": factories.POOL}, **stack)
    return [note.text for note in factories.planned(values).notes if note.id == "awaited-objects"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"apiKey": {"secret": "s"}}, "Secret s"),
        ({"service": {"tls": {"secret": "cert"}}}, "Secret cert"),
        ({"model": {"source": {"kind": "claim", "claim": "models"}}}, "PersistentVolumeClaim models"),
        ({"compileCache": {"claim": "compiled"}}, "PersistentVolumeClaim compiled"),
        ({"serviceAccount": {"name": "kept"}}, "ServiceAccount kept"),
        ({"env": {"X_SETTING": {"configMap": "a", "key": "b"}}}, "ConfigMap a"),
        ({"env": {"X_SETTING": {"secret": "a", "key": "b"}}}, "Secret a"),
        ({"huggingFace": {"existingSecret": "hf"}}, "Secret hf"),
        ({"expose": {"to": "network", "certificate": {"secret": "t"}}}, "Secret t"),
    ],
)
def test_what_the_first_update_waits_for_is_told(fields: dict[str, Any], named: str) -> None:
    (text,) = awaited(**fields)
    assert f" there: {named}; make them while it runs" in text
    assert awaited(**fields, createNamespace=False) == []
    (found,) = awaited(**fields, cluster=factories.EXISTING)
    assert "createNamespace: false" in found
    assert found.endswith("nodes that run no containers, as the sandbox's, wait for none")


def test_the_first_update_waits_for_nothing_that_the_stack_makes() -> None:
    assert awaited(apiKey={"config": "chatKey"}, huggingFace={"tokenRevision": 2}) == []
    assert awaited(apiKey={"secret": "s"}, replicas=0) == []


def disk(cluster: Any = factories.ZONAL, *, replicas: int = 1, **source: Any) -> StackPlan:
    chat = factories.workload(nodePool="l4", replicas=replicas)
    chat["model"]["source"] = {"kind": "hyperdisk", **source}
    return factories.planned(factories.serving({"chat": chat}, cluster=cluster, pools={"l4": POOL}))


def test_a_filling_job_needs_an_ordinary_node_of_a_cluster_of_others() -> None:
    existing = {**factories.EXISTING, "name": "llm", "location": "us-central1-a"}
    assert "fill-node-elsewhere" in ids(disk(existing))
    assert "fill-node-elsewhere" not in ids(disk())


def test_a_disk_that_many_pods_share_is_told_with_what_is_as_fast_as_the_hub() -> None:
    (note,) = (note for note in disk(replicas=8).notes if note.id == "slow-weight-disk")
    assert "throughputMibps: 1200" in note.text
    assert "slow-weight-disk" not in ids(disk(replicas=8, throughputMibps=1200))
    assert "slow-weight-disk" not in ids(disk(replicas=2))


@pytest.mark.parametrize(("eager", "told"), [(True, True), (None, False)])
def test_a_compile_cache_that_nothing_fills_is_told(eager: bool | None, told: bool) -> None:
    chat = factories.workload(engine={"enforceEager": eager}, compileCache={"claim": "compiled"})
    assert ("empty-compile-cache" in ids(factories.planned(factories.serving({"chat": chat})))) == told


@pytest.mark.parametrize(
    ("fields", "why", "compiled"),
    [
        ({"extraEnv": {"VLLM_DISABLE_COMPILE_CACHE": "1"}}, "VLLM_DISABLE_COMPILE_CACHE turns it off", "compile"),
        ({"engine": {"compilationConfig": {"mode": 0}}}, "mode 0 leaves nothing", None),
        ({"extraArgs": ["-cc.mode=NONE"]}, "mode NONE leaves nothing", None),
        ({"extraArgs": ["-O0"]}, "level 0 leaves nothing", None),
        (
            {"engine": {"compilationConfig": {"cache_dir": "/tmp/x"}}},
            "cache_dir keeps what is compiled in /tmp/x",
            "compile",
        ),
        ({"engine": {"compilationConfig": {"cache_dir": "/compile-cache/x"}}}, "", "compiledBefore"),
        ({}, "", "compiledBefore"),
    ],
)
def test_a_start_does_not_reckon_with_a_cache_that_is_never_filled(
    fields: dict[str, Any], why: str, compiled: str | None
) -> None:
    chat = factories.workload(**fields, compileCache={"claim": "compiled"})
    plan = factories.planned(factories.serving({"chat": chat}))
    told = " ".join(note.text for note in plan.notes if note.id == "empty-compile-cache")
    assert bool(told) is bool(why) and why in told
    seconds = load_data(start.__file__, "start.yaml")["engines"]["vllm"]
    assert plan.workloads[0].lifecycle.start.compile == (seconds[compiled] if compiled else 0)


@pytest.mark.parametrize(("spot", "exposed", "seconds"), [(True, True, 10), (True, False, 5), (False, True, 15)])
def test_pods_on_spot_nodes_serve_on_until_a_load_balancer_knows(spot: bool, exposed: bool, seconds: int) -> None:
    pools = {"l4": {**POOL, "spot": spot}}
    stack = {"expose": {"to": "network"}} if exposed else {}
    plan = factories.planned(factories.serving({"chat": factories.workload(nodePool="l4")}, pools=pools, **stack))
    assert plan.workloads[0].lifecycle.leave_seconds == seconds


def test_what_secret_manager_keeps_reaches_a_found_cluster_by_an_add_on_that_is_told() -> None:
    def told(existing: bool, **fields: Any) -> list[str]:
        cluster = {**factories.EXISTING, "name": "llm", "location": "us-central1"}
        made = {**factories.ZONAL, "secretManager": True}
        key = fields.pop("apiKey", None)
        chat = factories.workload(**({"apiKey": key} if key else {}))
        pools = {"l4": factories.POOL}
        values = factories.serving({"chat": chat}, cluster=cluster if existing else made, pools=pools, **fields)
        return [n.text for n in factories.planned(values).notes if n.id == "secret-manager-elsewhere"]

    (key,) = told(True, apiKey={"secretManager": {"secret": "chat-key"}})
    assert "an add-on of Secret Manager and its kinds deliver the API keys of chat, which the stack does not" in key
    (token,) = told(True, huggingFace={"secretManager": {"secret": "hf"}})
    assert "deliver the Hugging Face token, which the stack does not" in token
    assert told(False, apiKey={"secretManager": {"secret": "chat-key"}}) == told(True) == []


def test_alerts_of_a_cluster_without_a_name_are_told_to_count_others() -> None:
    def told(**cluster: Any) -> bool:
        values = factories.serving(cluster={**factories.EXISTING, **cluster}, monitoring={"alerts": {}})
        return "alerts-of-many-clusters" in ids(factories.planned(values))

    assert told()
    assert not told(name="llm", location="us-central1")


def test_what_a_hyperdisk_costs_is_told() -> None:
    (note,) = (note for note in disk(throughputMibps=800).notes if note.id == "disk-billed")
    assert note.level == "costs"
    assert "800 MiB/s" in note.text and "stay beside it" in note.text
