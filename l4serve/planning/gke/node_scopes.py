"""OAuth scopes of the nodes' access tokens: GKE's own default set, and never the whole of the cloud."""

NODE_SCOPES = tuple(
    f"https://www.googleapis.com/auth/{scope}"
    for scope in (
        "devstorage.read_only",
        "logging.write",
        "monitoring",
        "service.management.readonly",
        "servicecontrol",
        "trace.append",
    )
)
"""https://cloud.google.com/kubernetes-engine/docs/how-to/access-scopes#default_access_scopes . Pods do not use them:
they get tokens of their own through Workload Identity Federation."""
