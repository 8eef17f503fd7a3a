"""A part of the cluster goes in an update of its own, after the one that takes its last user away."""

from typing import Any

import pytest

from l4serve.planning.stack.addons import addon_problems, deployed_addons, needed_addons
from l4serve.planning.stack.stack_plan import StackPlan
from stacks import deployed
from tests import factories
from tests.planning.difference.scenarios import BASE, DROP, C, W, difference, with_values

BUCKET = {"kind": "bucket", "uri": "gs://models/qwen"}
TOKEN = {"secretManager": {"secret": "hf-token"}}
KEY = {"secretManager": {"secret": "llm-key"}}
USES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("gatewayApi", {"expose": {"to": "network"}}, {"expose": DROP}),
    ("secretManager", {f"{C}.secretManager": True, "huggingFace": TOKEN}, {"huggingFace": DROP}),
    ("secretManager", {f"{C}.secretManager": True, f"{W}.apiKey": KEY}, {f"{W}.apiKey": DROP}),
    ("gcsFuse", {f"{W}.model.source": BUCKET}, {f"{W}.model.source": DROP}),
]
STREAMED = {f"{W}.model.source": {**BUCKET, "reader": "streamer"}}


def plan(values: dict[str, Any]) -> StackPlan:
    return factories.planned(with_values(BASE, values))


@pytest.mark.parametrize(("field", "given", "gone"), USES)
def test_what_goes_before_its_last_user_is_told_with_both_updates(
    field: str, given: dict[str, Any], gone: dict[str, Any]
) -> None:
    before = with_values(BASE, given)
    off = {f"{C}.{field}": False}
    (told,) = [
        each for each in difference(before, with_values(before, {**gone, **off})).dangers if "add-on" in each.kind
    ]
    assert told.path == f"cluster.{field}"
    assert f"(1) this config with cluster.{field}: true, pulumi up; (2) this config, pulumi up" in told.text
    alone = with_values(before, gone)
    assert not _told(before, alone), "the first update"
    assert not _told(alone, with_values(alone, off)), "the second update"


def _told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [each.text for each in difference(before, after).dangers if each.kind == "add-on in use"]


AUTOPILOT = {C: {**factories.AUTOPILOT, "gatewayApi": False}, "nodePools": DROP, f"{W}.nodePool": DROP}


@pytest.mark.parametrize("other", [{f"{C}.name": "other"}, AUTOPILOT])
def test_a_cluster_that_is_replaced_goes_with_all_that_needs_it(other: dict[str, Any]) -> None:
    before = with_values(BASE, {"expose": {"to": "network"}})
    after = with_values(before, {"expose": DROP, f"{C}.gatewayApi": False} | other)
    assert not _told(before, after)


def test_what_streams_needs_no_driver() -> None:
    assert needed_addons(plan(STREAMED)) == frozenset()


def test_the_same_is_known_of_what_is_deployed() -> None:
    urn, there = "urn:pulumi:dev::l4serve::{}::x".format, factories.cluster_plan()
    cluster = {urn("l4serve:cluster:GkeCluster$gcp:container/cluster:Cluster"): {"name": "llm"}}
    gateway: dict[str, Any] = {
        urn("l4serve:serving:ServingGateway$kubernetes:gateway.networking.k8s.io/v1:Gateway"): {}
    }
    secret: dict[str, Any] = {
        urn("l4serve:secrets:ApiKeySecret$kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"): {}
    }
    volumes = [{"name": "shm", "emptyDir": {}}, {"name": "model", "csi": {"driver": "gcsfuse.csi.storage.gke.io"}}]
    pods = {
        urn("l4serve:serving:InferenceService$kubernetes:apps/v1:Deployment"): {
            "metadata": {"namespace": "llm", "name": "qwen"},
            "spec": {"template": {"spec": {"volumes": volumes}}},
        }
    }
    assert deployed.addons_in_use({**cluster, **gateway, **secret, **pods}, there) == {
        "gatewayApi",
        "secretManager",
        "gcsFuse",
    }
    assert deployed.addons_in_use({**cluster, **gateway}, there) == {"gatewayApi"}
    begun = {urn("l4serve:serving:InferenceService$kubernetes:apps/v1:Deployment"): {"metadata": {"name": "qwen"}}}
    assert deployed.addons_in_use({**cluster, **begun}, there) == frozenset(), "a killed update leaves half of it"
    assert deployed.addons_in_use(gateway, there) == frozenset(), (
        "a cluster that the stack did not make keeps what it has"
    )


def test_only_what_the_plan_turns_off_is_refused() -> None:
    every = deployed_addons(["gateway.networking.k8s.io/v1:Gateway"], ["gcsfuse.csi.storage.gke.io"])
    assert list(addon_problems(every, plan({}))) == []
    (problem,) = addon_problems(every, plan({f"{C}.gatewayApi": False}))
    assert problem.path == "cluster.gatewayApi" and "load balancer" in problem.message
    assert list(addon_problems(every, factories.planned(factories.serving(cluster=factories.EXISTING)))) == []
