"""The order of an apply, and what is made of the API server's refusals."""

import json

import pytest
from kubernetes.client.exceptions import ApiException

from l4serve.sandbox.apply import api_message, describe, in_apply_order, namespace_of


def an_object(kind: str, name: str = "x", **metadata: str) -> dict:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}


def test_what_others_refer_to_comes_first() -> None:
    given = ["Deployment", "Service", "PodDisruptionBudget", "ConfigMap", "Secret", "ServiceAccount", "Namespace"]
    ordered = [each["kind"] for each in in_apply_order(map(an_object, given))]
    assert ordered == [
        "Namespace",
        "ServiceAccount",
        "Secret",
        "ConfigMap",
        "PodDisruptionBudget",
        "Service",
        "Deployment",
    ]


def test_definitions_come_before_what_they_define_and_the_rest_keeps_its_order() -> None:
    given = [
        an_object("ComputeClass"),
        an_object("Deployment", "b"),
        an_object("Deployment", "a"),
        an_object("CustomResourceDefinition"),
    ]
    ordered = [(each["kind"], each["metadata"]["name"]) for each in in_apply_order(given)]
    assert ordered == [
        ("CustomResourceDefinition", "x"),
        ("ComputeClass", "x"),
        ("Deployment", "b"),
        ("Deployment", "a"),
    ]


def test_an_object_is_named_with_its_namespace() -> None:
    assert describe(an_object("Secret", "token", namespace="llm")) == "Secret llm/token"
    assert describe(an_object("Namespace", "llm")) == "Namespace llm"
    assert namespace_of(an_object("Secret", "token")) == "default"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (json.dumps({"kind": "Status", "message": 'Deployment "x" is invalid'}), 'Deployment "x" is invalid'),
        ("upstream failed", "422 Unprocessable"),
        ("[]", "422 Unprocessable"),
        (None, "422 Unprocessable"),
    ],
)
def test_a_refusal_is_the_api_servers_own_sentence(body: str | None, message: str) -> None:
    error = ApiException(status=422, reason="Unprocessable")
    error.body = body
    assert api_message(error) == message
