"""The program refuses, by what the stack's state holds, to turn a part of the cluster off with its last user."""

from typing import Any

import pytest
from pulumi import RunError

from stacks import serving
from tests import factories
from tests.stacks.registered import rendered

URN = "urn:pulumi:dev::l4serve::{}::x"
GATEWAY = {
    URN.format("l4serve:cluster:GkeCluster$gcp:container/cluster:Cluster"): {
        "name": "llm",
        "location": "us-central1",
        "project": factories.PROJECT,
    },
    URN.format("l4serve:serving:ServingGateway$kubernetes:gateway.networking.k8s.io/v1:Gateway"): {},
}


def build(monkeypatch: pytest.MonkeyPatch, **cluster: Any) -> None:
    monkeypatch.setattr(serving, "deployed_resources", lambda: GATEWAY)
    config = factories.serving({"a": factories.workload()}, cluster={**factories.STANDARD, **cluster})
    rendered(factories.loaded(config))


def test_the_preview_refuses_it_with_both_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError) as refused:
        build(monkeypatch, gatewayApi=False)
    assert "cluster.gatewayApi: the update turns it off before it takes away expose" in str(refused.value)
    assert "(1) this config with cluster.gatewayApi: true, pulumi up; (2) this config, pulumi up" in str(refused.value)


@pytest.mark.parametrize("other", [{"name": "other"}, {"location": "us-east1"}, {"mode": "autopilot"}])
def test_a_cluster_that_is_replaced_keeps_what_it_has_to_its_end(
    monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    build(monkeypatch, gatewayApi=False, **other)


def test_the_update_that_takes_the_last_user_away_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    build(monkeypatch)
