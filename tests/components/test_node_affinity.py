"""Pods on a cluster of others' making keep off cards of which it deals out parts."""

from typing import Any

import pytest

from components.inference_service import InferenceService, InferenceServiceArgs
from tests import factories
from tests.components.recorder import record

EXISTING = {"mode": "existing", "name": "llm", "location": "us-central1-a"}
DESCRIBED = {"mode": "existing", "kubeconfig": "/etc/kube/config", "context": "lab"}
POOL = {"l4": {"machineType": "g2-standard-8"}}
PARTS = ("cloud.google.com/gke-gpu-partition-size", "cloud.google.com/gke-gpu-sharing-strategy")


def affinity(cluster: dict[str, Any], pools: dict[str, Any] | None = None) -> dict[str, Any] | None:
    chat = factories.workload(nodePool="l4") if pools else factories.workload()
    serving = factories.serving({"chat": chat}, pools=pools or {}, cluster=cluster)
    (plan,) = factories.planned(serving).workloads

    def program() -> None:
        InferenceService(plan.name, InferenceServiceArgs(plan=plan))

    (made,) = [r for r in record(program) if r.type == "kubernetes:apps/v1:Deployment"]
    found: dict[str, Any] | None = made.inputs["spec"]["template"]["spec"].get("affinity")
    return found


@pytest.mark.parametrize(("cluster", "pools"), [(EXISTING, None), (DESCRIBED, None), (DESCRIBED, POOL)])
def test_no_partition_and_no_shared_card_of_a_cluster_of_others(
    cluster: dict[str, Any], pools: dict[str, Any] | None
) -> None:
    found = affinity(cluster, pools)
    assert found is not None
    (term,) = found["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": label, "operator": "DoesNotExist"} for label in PARTS]


@pytest.mark.parametrize(
    ("cluster", "pools"),
    [
        (EXISTING, POOL),
        (factories.ZONAL, POOL),
        ({"mode": "autopilot", "name": "llm", "location": "us-central1"}, None),
    ],
)
def test_nodes_that_are_made_for_the_stack_have_whole_cards(
    cluster: dict[str, Any], pools: dict[str, Any] | None
) -> None:
    assert affinity(cluster, pools) is None
