"""The pod that answers for a Service."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubernetes import client as api
from kubernetes.client import ApiClient

from l4serve.config.frozen import frozen
from l4serve.verification.checks import CheckError

_KubeObject = Mapping[str, Any]


@frozen()
class PodPort:
    """A container port of a pod."""

    namespace: str
    pod: str
    port: int


def find_pod(client: ApiClient, namespace: str, service_name: str, port: int, timeout: float) -> PodPort:
    """A ready pod behind a Service's port. Raises CheckError where none is ready, ApiException where refused."""
    core = api.CoreV1Api(client)
    plain: Callable[[Any], Any] = client.sanitize_for_serialization
    service = plain(core.read_namespaced_service(service_name, namespace, _request_timeout=timeout))
    service_port = _service_port(service, port)
    selector = ",".join(f"{key}={value}" for key, value in service["spec"].get("selector", {}).items())
    if not selector:
        raise CheckError(f"Service {service_name} selects no pods")
    pods = plain(core.list_namespaced_pod(namespace, label_selector=selector, _request_timeout=timeout))["items"]
    ready = [pod for pod in pods if _is_ready(pod)]
    if not ready:
        raise CheckError(f"Service {service_name} has no ready pod: {_states(pods)}")
    return PodPort(namespace, ready[0]["metadata"]["name"], _container_port(service_port, ready[0]))


def _service_port(service: _KubeObject, port: int) -> _KubeObject:
    for candidate in service["spec"].get("ports", ()):
        if candidate["port"] == port:
            return dict(candidate)
    raise CheckError(f"Service {service['metadata']['name']} has no port {port}")


def _container_port(service_port: _KubeObject, pod: _KubeObject) -> int:
    wanted = service_port.get("targetPort", service_port["port"])
    if isinstance(wanted, int):
        return wanted
    for container in pod["spec"]["containers"]:
        for port in container.get("ports", ()):
            if port.get("name") == wanted:
                return int(port["containerPort"])
    raise CheckError(f"pod {pod['metadata']['name']} has no port named {wanted}")


def _is_ready(pod: _KubeObject) -> bool:
    conditions = pod["status"].get("conditions", ())
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _states(pods: Sequence[_KubeObject]) -> str:
    return ", ".join(f"{pod['metadata']['name']} {_state(pod)}" for pod in pods) or "it has no pods"


def _state(pod: _KubeObject) -> str:
    """The phase, with what keeps it: the reasons of its conditions and containers."""
    status = pod["status"]
    reasons = [c.get("reason") for c in status.get("conditions", ()) if c["status"] != "True"]
    for container in status.get("containerStatuses", ()):
        reasons.append(container.get("state", {}).get("waiting", {}).get("reason"))
    return " ".join([status.get("phase", "Unknown"), *(f"({reason})" for reason in dict.fromkeys(reasons) if reason)])
