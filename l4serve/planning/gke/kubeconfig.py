"""A kubeconfig that asks gke-gcloud-auth-plugin for a credential at each use; it holds no secret of its own."""

from __future__ import annotations

import json

_PUBLIC_SUFFIX = ".gke.goog"
_INSTALL_HINT = (
    "Install gke-gcloud-auth-plugin: "
    "https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin"
)


def render_kubeconfig(name: str, host: str, ca_certificate: str | None) -> str:
    """Return the kubeconfig, as JSON, of a cluster at a host name or address.

    A DNS endpoint of GKE presents a publicly trusted certificate, which the cluster's own CA did not sign:
    there `ca_certificate` (base64) is left out.
    """
    cluster = {"server": f"https://{host}"}
    if ca_certificate and not host.endswith(_PUBLIC_SUFFIX):
        cluster["certificate-authority-data"] = ca_certificate
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "installHint": _INSTALL_HINT,
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [{"name": name, "user": {"exec": credential}}],
    }
    return json.dumps(config, indent=2)
