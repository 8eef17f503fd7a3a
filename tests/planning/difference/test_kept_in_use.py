"""What Google Cloud lets not go while a load balancer uses it."""

from typing import Any

import pytest

from tests.planning.difference.scenarios import DROP
from tests.planning.difference.test_dangers import edited


@pytest.mark.parametrize(
    ("given", "values", "at"),
    [
        ({}, {"expose.proxyOnlyCidr": "10.140.0.0/23"}, ["expose.proxyOnlyCidr"]),
        ({}, {"expose.makeProxyOnlySubnet": False}, ["expose.makeProxyOnlySubnet"]),
        ({"expose.makeProxyOnlySubnet": False}, {"expose.proxyOnlyCidr": "10.140.0.0/23"}, []),
        ({}, {"expose": DROP}, []),
        ({}, {"expose.reserveAddress": True}, []),
    ],
)
def test_a_subnet_of_proxies_that_google_keeps_is_told(
    given: dict[str, Any], values: dict[str, Any], at: list[str]
) -> None:
    diff = edited(values, {"expose": {"to": "network"}, **given})
    assert [danger.path for danger in diff.dangers if danger.kind == "subnet in use"] == at


@pytest.mark.parametrize(
    ("given", "values", "at"),
    [
        ({"reserveAddress": True}, {"expose.reserveAddress": False}, "expose.reserveAddress"),
        ({"reserveAddress": True}, {"expose.reserveAddress": False, "expose.address": "a"}, "expose.reserveAddress"),
        ({"reserveAddress": True}, {"expose.to": "internet"}, "expose.to"),
        ({"reserveAddress": True}, {"expose": DROP}, None),
        ({"reserveAddress": True}, {"expose.host": "llm.example.com"}, None),
        ({"address": "a"}, {"expose.address": "b"}, None),
        ({}, {"expose.reserveAddress": True}, None),
    ],
)
def test_an_address_that_google_keeps_is_told(given: dict[str, Any], values: dict[str, Any], at: str | None) -> None:
    diff = edited(values, {"expose": {"to": "network", "certificate": {"secret": "t"}, **given}})
    assert [danger.path for danger in diff.dangers if danger.kind == "address in use"] == ([at] if at else [])
