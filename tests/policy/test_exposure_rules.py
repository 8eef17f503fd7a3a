"""An engine that the internet reaches asks for a key, or the policy refuses the stack."""

from collections.abc import Mapping
from typing import Any

from policy.exposure_rules import public_endpoints_have_keys
from policy.model import Resource, Settings
from tests import factories
from tests.stack_cases import made

INTERNET = {"to": "internet", "certificate": {"certificateManager": "llm"}}


def refused(gateway: Mapping[str, Any], **fields: Any) -> list[str]:
    serving = factories.serving({"qwen": factories.workload(**fields)}, expose=gateway)
    found = made(serving)
    kinds = {"Deployment": "apps/v1", "Service": "core/v1"}
    resources = [
        Resource(f"kubernetes:{kinds.get(each['kind'], each['apiVersion'])}:{each['kind']}", "it", each)
        for each in found.objects
    ]
    return list(public_endpoints_have_keys(resources, Settings()))


def test_a_public_engine_without_a_key_is_refused() -> None:
    (told,) = refused(INTERNET)
    assert told.startswith("qwen answers the internet") and "set apiKey" in told


def test_a_key_or_a_private_gateway_passes() -> None:
    assert refused(INTERNET, apiKey={"secret": "kept"}) == []
    assert refused({"to": "network"}) == []


def test_an_engine_behind_a_pool_of_another_name_than_its_service_is_seen() -> None:
    pooled = {"expose": {"inferencePool": True}, "service": {"name": "elsewhere"}}
    (told,) = refused(INTERNET, **pooled)
    assert told.startswith("qwen answers the internet")
    assert refused(INTERNET, apiKey={"secret": "kept"}, **pooled) == []


def test_a_path_past_the_key_is_refused() -> None:
    (told,) = refused(INTERNET, apiKey={"secret": "kept"}, expose={"paths": ["/v1", "/invocations"]})
    assert "on /invocations, where it asks for no key" in told
    (told,) = refused(INTERNET, apiKey={"secret": "kept"}, expose={"path": "/chat", "paths": ["/"]})
    assert "on /, where" in told
    assert refused(INTERNET, apiKey={"secret": "kept"}, expose={"paths": ["/v1", "/health"]}) == []


def test_a_path_of_tgi_below_which_all_asks_for_the_key_passes() -> None:
    tgi = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None, "maxTotalTokens": 4096}
    fields: dict[str, Any] = {"engine": tgi, "apiKey": {"secret": "kept"}}
    assert refused(INTERNET, **fields, expose={"paths": ["/v1"]}) == []
    (told,) = refused(INTERNET, **fields, expose={"paths": ["/invocations"]})
    assert "on /invocations, where" in told
