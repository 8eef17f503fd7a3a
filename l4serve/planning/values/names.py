"""Names and labels derived from config names, within the limits of Kubernetes and Google Cloud."""

import hashlib
import re

LABEL_PREFIX = "l4serve.dev"
MANAGED_BY = "l4serve"
SCALED_LABEL = "l4serve-scaled"
"""Of pods whose metrics GKE itself reads: it selects by labels of letters, digits, hyphens and underscores alone.

https://documentation.s3ns.fr/kubernetes-engine/docs/how-to/expose-custom-metrics-autoscaling
"""


def shorten(name: str, limit: int) -> str:
    """The name itself when it has at most `limit` characters, else its head and a hash of the whole."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: limit - 9].rstrip('-.')}-{digest}"


def label_value(text: str) -> str:
    """A label value that says `text` as well as the character set of Kubernetes allows, in at most 63 characters."""
    clean = re.sub(r"[^A-Za-z0-9_.-]", "-", text).strip("-_.")
    return shorten(clean, 63).strip("-_.")


def on_demand_name(object_name: str) -> str:
    """Name of the Deployment of a workload's pods that run on no spot node."""
    return f"{object_name}-on-demand"


def workload_labels(workload: str, *, stack: str, engine: str, recipe: str | None) -> dict[str, str]:
    """Labels of every Kubernetes object of a workload."""
    labels = {
        "app.kubernetes.io/name": engine,
        "app.kubernetes.io/instance": workload,
        "app.kubernetes.io/managed-by": MANAGED_BY,
        f"{LABEL_PREFIX}/stack": label_value(stack),
    }
    return labels | ({f"{LABEL_PREFIX}/recipe": recipe} if recipe else {})
