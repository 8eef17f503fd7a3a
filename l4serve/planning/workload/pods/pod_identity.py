"""The identity of a workload's pods: their Kubernetes service account, and its roles in Google Cloud."""

from collections.abc import Mapping

from l4serve.config.frozen import frozen
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import refuse
from l4serve.planning.workload.pods.storage import granted_buckets

_BUCKET_ROLES = {"read": "roles/storage.objectViewer", "write": "roles/storage.objectUser"}
"""https://cloud.google.com/kubernetes-engine/docs/how-to/cloud-storage-fuse-csi-driver-setup (2026-11-26)"""
_ACTS_AS = "iam.gke.io/gcp-service-account"


@frozen(kw_only=True)
class PodIdentity:
    """A service account of Kubernetes and what Google Cloud lets it do."""

    account: str
    """Name of the Kubernetes service account."""
    create: bool
    """Whether the stack makes it."""
    annotations: Mapping[str, str]
    google_account: str | None
    """Google service account that the pods act as; None is the principal of their own account."""
    bucket_roles: tuple[tuple[str, str], ...]
    """(bucket, role) that the stack grants."""
    project: str | None
    """Project whose Workload Identity pool knows the pods."""

    @property
    def google_project(self) -> str | None:
        """Project of the Google account, as its address names it: by id, or by number that of Compute Engine's own.

        Source: https://docs.cloud.google.com/iam/docs/service-account-types (2026-11-27)
        """
        if self.google_account is None:
            return None
        name, _, place = self.google_account.partition("@")
        if place == "developer.gserviceaccount.com":
            return name.removesuffix("-compute")
        holder = name if place == "appspot.gserviceaccount.com" else place.removesuffix(".iam.gserviceaccount.com")
        project, _, domain = holder.partition(".")
        return f"{domain}:{project}" if domain else project


def plan_identity(path: str, workload: Workload, object_name: str, project: str | None) -> PodIdentity:
    """The identity of a workload's pods. `project` is that of its cluster, whose Workload Identity pool knows them.

    Raises ConfigError where no project is known whose roles it could have.
    """
    config = workload.service_account
    wanted = config.google_account is not None or bool(config.buckets)
    granted = "model.source" if granted_buckets(workload) else None
    if project is None and (wanted or granted):
        field = "serviceAccount.googleAccount" if config.google_account else "serviceAccount.buckets"
        what = "roles belong to the pods' principal in a Google Cloud project, and the stack names none"
        refuse(f"{path}.{field if wanted else granted}", what, "set gcp:project")
    if config.name is not None and config.google_account is not None:
        what = "the stack does not annotate a service account that it did not make"
        refuse(f"{path}.serviceAccount.googleAccount", what, f"annotate it with {_ACTS_AS} yourself, or remove name")
    return PodIdentity(
        account=config.name or object_name,
        create=config.name is None,
        annotations={_ACTS_AS: config.google_account} if config.google_account else {},
        google_account=config.google_account,
        bucket_roles=tuple((bucket, _BUCKET_ROLES[use]) for bucket, use in sorted(config.buckets.items())),
        project=project,
    )
