"""Where the cluster is asked about an object that is about to be made."""

import pytest

from stacks.ownership import _address


@pytest.mark.parametrize(
    ("version", "kind", "namespace", "address"),
    [
        ("v1", "Namespace", None, "/api/v1/namespaces/a"),
        ("v1", "ServiceAccount", "llm", "/api/v1/namespaces/llm/serviceaccounts/a"),
        ("apps/v1", "Deployment", "llm", "/apis/apps/v1/namespaces/llm/deployments/a"),
        ("cloud.google.com/v1", "ComputeClass", None, "/apis/cloud.google.com/v1/computeclasses/a"),
        ("networking.k8s.io/v1", "NetworkPolicy", "llm", "/apis/networking.k8s.io/v1/namespaces/llm/networkpolicies/a"),
        (
            "gateway.networking.k8s.io/v1",
            "Gateway",
            "llm",
            "/apis/gateway.networking.k8s.io/v1/namespaces/llm/gateways/a",
        ),
    ],
)
def test_an_object_has_the_address_that_kubernetes_serves_it_at(
    version: str, kind: str, namespace: str | None, address: str
) -> None:
    metadata = {"name": "a"} | ({"namespace": namespace} if namespace else {})
    assert _address({"apiVersion": version, "kind": kind, "metadata": metadata}) == address
