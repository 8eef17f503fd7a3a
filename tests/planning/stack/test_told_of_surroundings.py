"""What a plan says of a cluster, a namespace, nodes and disks that are not the stack's, or not as fast as they seem."""

from typing import Any

import pytest

from l4serve.planning.stack.stack_plan import StackPlan
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
    assert key.startswith("the API keys of chat come from Secret Manager")
    (token,) = told(True, huggingFace={"secretManager": {"secret": "hf"}})
    assert token.startswith("the Hugging Face token")
    assert told(False, apiKey={"secretManager": {"secret": "chat-key"}}) == told(True) == []
