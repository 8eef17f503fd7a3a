"""GKE's own daemonsets as the scheduler sees them: what they take of each node before a workload arrives."""

from typing import Any

from l4serve.planning.machines.daemonsets import Overhead

_NAME = "gke-daemonsets"


def daemon_set(overhead: Overhead) -> dict[str, Any]:
    """One DaemonSet that asks of every node for what all of GKE's together do."""
    labels = {"k8s-app": _NAME}
    quantities = {"cpu": f"{overhead.cpu_millis}m", "memory": str(overhead.memory_bytes)}
    container = {"name": _NAME, "image": _NAME, "resources": {"requests": quantities}}
    pod_spec = {
        "containers": [container],
        "tolerations": [{"operator": "Exists"}],
        "priorityClassName": "system-node-critical",
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": _NAME, "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec},
        },
    }
