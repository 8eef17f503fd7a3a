"""TLS at the pods: the engine's flags, and everything that speaks to it."""

from typing import Any

import pytest

from l4serve.cli.commands.render_command import Rendered
from l4serve.config.refusals.problems import ConfigError
from tests import factories
from tests.stack_cases import made

TLS = {"tls": {"secret": "serving-cert"}}


def rendered(**fields: Any) -> Rendered:
    workload = factories.workload(service=TLS)
    serving = factories.serving({"qwen": workload}, monitoring={"podMonitoring": True}, **fields)
    return made(serving)


def one(found: Rendered, kind: str) -> Any:
    (each,) = [each for each in found.objects if each["kind"] == kind]
    return each


def test_the_engine_shows_the_certificate_of_the_secret_and_reads_a_renewed_one() -> None:
    pod = one(rendered(), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    folder = "/var/run/secrets/serving-tls"
    assert {f"--ssl-certfile={folder}/tls.crt", f"--ssl-keyfile={folder}/tls.key"} <= {*container["args"]}
    assert "--enable-ssl-refresh" in container["args"]
    (mount,) = [each for each in container["volumeMounts"] if each["mountPath"] == folder]
    (volume,) = [each for each in pod["volumes"] if each["name"] == mount["name"]]
    assert mount["readOnly"] and volume["secret"] == {"secretName": "serving-cert"}


def test_probes_metrics_gateway_and_url_follow() -> None:
    found = rendered(expose={"to": "network"})
    (container,) = one(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["scheme"] == "HTTPS"
    (port,) = one(found, "Service")["spec"]["ports"]
    assert port["appProtocol"] == "HTTPS"
    (endpoint,) = one(found, "PodMonitoring")["spec"]["endpoints"]
    assert (endpoint["scheme"], endpoint["tls"]) == ("https", {"insecureSkipVerify": True})
    check = one(found, "HealthCheckPolicy")["spec"]["default"]["config"]
    assert check["type"] == "HTTPS" and check["httpsHealthCheck"]["requestPath"] == "/health"
    assert found.outputs["workloads"]["qwen"]["url"].startswith("https://")


def test_without_it_nothing_changes() -> None:
    found = made(factories.serving())
    (container,) = one(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert not any("ssl" in argument for argument in container["args"])
    assert "scheme" not in container["readinessProbe"]["httpGet"]
    assert "appProtocol" not in one(found, "Service")["spec"]["ports"][0]


def test_an_engine_without_tls_is_refused() -> None:
    tgi = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None}
    with pytest.raises(ConfigError) as refused:
        factories.planned(factories.serving({"qwen": factories.workload(engine=tgi, service=TLS)}))
    assert "workloads.qwen.service.tls" in str(refused.value) and "expose.certificate" in str(refused.value)


def test_the_flags_are_the_fields_own() -> None:
    with pytest.raises(ConfigError) as refused:
        factories.planned(factories.serving({"qwen": factories.workload(extraArgs=["--ssl-keyfile=/a"])}))
    assert "service.tls" in str(refused.value)
