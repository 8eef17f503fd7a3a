"""What the program registers to expose workloads: gateway, address, proxies' subnet, routes and their policies."""

from typing import Any

import pytest

from l4serve.cli.commands.render_command import Rendered
from tests import factories
from tests.stack_cases import made

INTERNET = {"to": "internet", "host": "llm.example.com", "certificate": {"certificateManager": "llm"}}
KEY = {"secret": "kept"}


def rendered(expose: dict[str, Any], workloads: dict[str, Any] | None = None, **fields: Any) -> Rendered:
    serving = factories.serving(workloads or {"qwen": factories.workload(apiKey=KEY)}, expose=expose, **fields)
    return made(serving)


def objects(found: Rendered, kind: str) -> list[Any]:
    return [each for each in found.objects if each["kind"] == kind]


def test_the_internet_gets_a_regional_load_balancer_with_a_regional_certificate() -> None:
    (gateway,) = objects(rendered({**INTERNET, "address": "mine"}), "Gateway")
    (listener,) = gateway["spec"]["listeners"]
    assert gateway["spec"]["gatewayClassName"] == "gke-l7-regional-external-managed"
    assert gateway["spec"]["addresses"] == [{"type": "NamedAddress", "value": "mine"}]
    assert (listener["protocol"], listener["port"]) == ("HTTPS", 443)
    assert listener["tls"]["options"] == {"networking.gke.io/cert-manager-certs": "llm"}
    assert listener["allowedRoutes"] == {"namespaces": {"from": "Same"}}


def test_the_network_gets_an_internal_one_with_the_certificate_of_a_secret() -> None:
    (gateway,) = objects(rendered({"to": "network", "certificate": {"secret": "tls"}}), "Gateway")
    (listener,) = gateway["spec"]["listeners"]
    assert gateway["spec"]["gatewayClassName"] == "gke-l7-rilb"
    assert listener["tls"]["certificateRefs"] == [{"kind": "Secret", "group": "", "name": "tls"}]
    (plain,) = objects(rendered({"to": "network"}), "Gateway")
    assert plain["spec"]["listeners"][0]["protocol"] == "HTTP"


def test_the_stack_makes_address_and_subnet_in_its_own_network() -> None:
    found = rendered({**INTERNET, "reserveAddress": True})
    cloud = {each["name"]: each["inputs"] for each in found.cloud}
    assert cloud["gateway-address"]["addressType"] == "EXTERNAL"
    assert cloud["gateway-address"]["networkTier"] == "STANDARD"
    proxies = cloud["gateway-proxies"]
    assert (proxies["purpose"], proxies["role"]) == ("REGIONAL_MANAGED_PROXY", "ACTIVE")
    assert (proxies["ipCidrRange"], proxies["region"]) == ("10.129.0.0/23", "us-central1")
    inside = {each["name"]: each["inputs"] for each in rendered({"to": "network", "reserveAddress": True}).cloud}
    assert inside["gateway-address"]["addressType"] == "INTERNAL"
    assert "networkTier" not in inside["gateway-address"]


def test_an_existing_network_keeps_its_own_proxies() -> None:
    cluster = {**factories.ZONAL, "network": "vpc", "subnetwork": "nodes"}
    assert "gateway-proxies" not in {each["name"] for each in rendered(INTERNET, cluster=cluster).cloud}
    asked = rendered({**INTERNET, "makeProxyOnlySubnet": True}, cluster=cluster)
    (proxies,) = [each["inputs"] for each in asked.cloud if each["name"] == "gateway-proxies"]
    assert proxies["network"] == "vpc"


SHARED = {
    "network": "projects/host-proj/global/networks/shared",
    "subnetwork": "projects/host-proj/regions/us-central1/subnetworks/nodes",
    "networkOptions": {"podsRange": "pods", "servicesRange": "services", "nat": True},
}


def test_what_lies_in_a_shared_network_is_made_in_its_project() -> None:
    """The proxies' subnet, and the router with its addresses; the gateway's own address is the cluster's project's."""
    asked = {"to": "network", "reserveAddress": True, "makeProxyOnlySubnet": True}
    found = rendered(asked, cluster={**factories.ZONAL, **SHARED})
    projects = {each["name"]: each["inputs"].get("project") for each in found.cloud}
    assert projects["gateway-proxies"] == "host-proj"
    assert {projects[f"network-{part}"] for part in ("router", "nat", "nat-addresses", "address-0")} == {"host-proj"}
    assert projects["gateway-address"] == projects["cluster-cluster"] == "my-project"


@pytest.mark.parametrize(
    "cluster",
    [
        {"mode": "existing", "name": "llm", "location": "us-central1"},
        {**factories.ZONAL, "network": "vpc"},
    ],
    ids=["found", "automatic"],
)
def test_an_internal_address_lies_in_the_subnetwork_of_the_nodes(cluster: dict[str, Any]) -> None:
    asked = {"to": "network", "reserveAddress": True}
    found = rendered(asked, cluster=cluster, pools={"l4": factories.POOL})
    (address,) = [each["inputs"] for each in found.cloud if each["name"] == "gateway-address"]
    assert "/subnetworks/" in address["subnetwork"]


def test_a_route_takes_its_prefix_away_and_serves_guarded_paths_alone() -> None:
    two = {"a": factories.workload(apiKey=KEY), "b": factories.workload(apiKey=KEY)}
    route = objects(rendered(INTERNET, two), "HTTPRoute")[0]["spec"]
    assert route["hostnames"] == ["llm.example.com"]
    assert route["parentRefs"] == [{"kind": "Gateway", "name": "llm-gateway"}]
    (rule,) = route["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/a/v1"}}]
    assert rule["filters"][0]["urlRewrite"]["path"] == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v1"}
    assert rule["backendRefs"] == [{"name": "a", "port": 8000}]
    (alone,) = objects(rendered(INTERNET), "HTTPRoute")[0]["spec"]["rules"]
    assert alone["matches"][0]["path"]["value"] == "/v1" and "filters" not in alone


def test_policies_check_the_engine_and_let_streams_end() -> None:
    found = rendered(INTERNET, {"qwen": factories.workload(apiKey=KEY, expose={"timeoutSeconds": 900})})
    (check,), (backend,) = objects(found, "HealthCheckPolicy"), objects(found, "GCPBackendPolicy")
    http = check["spec"]["default"]["config"]["httpHealthCheck"]
    assert (http["requestPath"], http["port"]) == ("/health", 8000)
    assert backend["spec"]["default"]["timeoutSec"] == 900
    (deployment,) = objects(found, "Deployment")
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert backend["spec"]["default"]["connectionDraining"]["drainingTimeoutSec"] == grace
    target = {"group": "", "kind": "Service", "name": "qwen"}
    assert check["spec"]["targetRef"] == backend["spec"]["targetRef"] == target


def test_a_gateway_drains_a_pod_for_as_long_as_google_takes() -> None:
    patient = factories.workload(apiKey=KEY, extraArgs=["--shutdown-timeout=4000"])
    (backend,) = objects(rendered(INTERNET, {"qwen": patient}), "GCPBackendPolicy")
    assert backend["spec"]["default"]["connectionDraining"]["drainingTimeoutSec"] == 3600


def test_a_stack_that_exposes_nothing_has_nothing_of_it() -> None:
    found = made(factories.serving())
    assert not {"Gateway", "HTTPRoute", "HealthCheckPolicy", "GCPBackendPolicy"} & {o["kind"] for o in found.objects}
    assert "exposed" not in found.outputs["workloads"]["qwen"]
    assert rendered(INTERNET).outputs["workloads"]["qwen"]["exposed"] == "https://llm.example.com"
