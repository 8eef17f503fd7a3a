"""Where the workloads' pods find the Hugging Face token. The plan holds names, never the token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.config.secrets import HuggingFace
from components.planning.names import LABEL_PREFIX, MANAGED_BY

SECRET_NAME = "hf-secret"
TOKEN_DIR = "/var/run/secrets/huggingface"


@dataclass(frozen=True, kw_only=True)
class SecretPlan:
    """The Secret of the Hugging Face token, or the Secret Manager secret behind it."""

    source: Literal["token", "existing", "secret-manager"]
    secret_name: str | None
    """Kubernetes Secret that the pods refer to; None when they read a file."""
    key: str
    """Key in the Secret, and name of the file."""
    revision: int | None
    provider_class: str | None
    """SecretProviderClass that the pods' CSI volume or the sync refers to; None without Secret Manager."""
    secret_version: str | None
    """Secret Manager resource, projects/P/secrets/S/versions/V."""
    synced: bool
    """Whether GKE copies the secret into the Kubernetes Secret."""
    reader: str | None
    """Kubernetes ServiceAccount that the copying runs as."""
    manage_access: bool
    labels: tuple[tuple[str, str], ...]

    @property
    def token_file(self) -> str | None:
        """Path of the token in the container when the CSI driver mounts it."""
        return f"{TOKEN_DIR}/{self.key}" if self.provider_class and not self.synced else None


def plan_secret(config: HuggingFace, *, project: str | None) -> SecretPlan:
    """Return the plan of the token's Secret. A revision is part of the name, so the new Secret comes before the old goes."""
    manager = config.secret_manager
    suffix = f"-{config.token_revision}" if config.token_revision is not None else ""
    own_name = f"{SECRET_NAME}{suffix}"
    file_only = manager is not None and manager.delivery == "file"
    return SecretPlan(
        source="existing" if config.existing_secret else "secret-manager" if manager else "token",
        secret_name=None if file_only else config.existing_secret or own_name,
        key=config.key,
        revision=config.token_revision,
        provider_class=f"{own_name}-source" if manager else None,
        secret_version=f"{_secret_path(manager.secret, project)}/versions/{manager.version}" if manager else None,
        synced=manager is not None and not file_only,
        reader=f"{SECRET_NAME}-reader" if manager and not file_only else None,
        manage_access=bool(manager and manager.manage_access),
        labels=(("app.kubernetes.io/managed-by", MANAGED_BY), (f"{LABEL_PREFIX}/secret", "hugging-face-token")),
    )


def _secret_path(secret: str, project: str | None) -> str:
    return secret if "/" in secret else f"projects/{project or '-'}/secrets/{secret}"
