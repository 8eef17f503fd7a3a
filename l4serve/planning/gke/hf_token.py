"""Where the workloads' pods find the Hugging Face token. The plan holds names, never the token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.config.keys.api_key import SecretManagerKey
from l4serve.config.keys.secrets import HuggingFace, SecretManagerToken
from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.values.names import LABEL_PREFIX, MANAGED_BY

SECRET_NAME = "hf-secret"
TOKEN_READER = f"{SECRET_NAME}-reader"
"""ServiceAccount that reads the token from Secret Manager."""
TOKEN_DIR = "/var/run/secrets/huggingface"
_PROJECT = "set gcp:project"


@frozen(kw_only=True)
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
    config_key: str | None = None
    """Secret of the stack's config that it is made of, where that is not the token's own."""
    mark: str | None = None
    """Of that secret as the config encrypts it: another one whenever it was set anew; None where nobody knows."""

    @property
    def token_file(self) -> str | None:
        """Path of the token in the container when the CSI driver mounts it."""
        return f"{TOKEN_DIR}/{self.key}" if self.mounted_class else None

    @property
    def mounted_class(self) -> str | None:
        """SecretProviderClass that the pods mount; None where they read a Kubernetes Secret."""
        return None if self.synced else self.provider_class


def plan_secret(
    config: HuggingFace,
    *,
    project: str | None,
    cluster: ClusterPlan | None = None,
    env_only: Sequence[str] = (),
    mark: str | None = None,
) -> SecretPlan:
    """Return the plan of the token's Secret. A revision is part of the name: the new Secret comes before the old goes.

    `env_only` names the workloads whose engine reads the token from its environment and from no file, `mark` is that of
    the config's own token. Raises ConfigError where the cluster lacks what delivers it, or an engine cannot read it.
    """
    manager = config.secret_manager
    if manager is not None:
        _refuse(manager, project, cluster, env_only)
    suffix = f"-{config.token_revision}" if config.token_revision is not None else ""
    own_name = f"{SECRET_NAME}{suffix}"
    file_only = manager is not None and manager.delivery == "file"
    return SecretPlan(
        source="existing" if config.existing_secret else "secret-manager" if manager else "token",
        secret_name=None if file_only else config.existing_secret or (synced_name(own_name) if manager else own_name),
        key=config.key,
        revision=config.token_revision,
        provider_class=f"{own_name}-source" if manager else None,
        secret_version=f"{secret_path(manager.secret, project)}/versions/{manager.version}" if manager else None,
        synced=manager is not None and not file_only,
        reader=TOKEN_READER if manager and not file_only else None,
        manage_access=bool(manager and manager.manage_access),
        labels=(("app.kubernetes.io/managed-by", MANAGED_BY), (f"{LABEL_PREFIX}/secret", "hugging-face-token")),
        mark=None if config.existing_secret or manager else mark,
    )


def synced_name(own_name: str) -> str:
    """Name of the Secret that GKE makes of a secret of Secret Manager.

    The stack's own Secret of the same purpose has another: an update from the one to the other finds its name free, and
    GKE, as it takes its Secret away, takes nothing of the stack's.
    """
    return f"{own_name}-synced"


def _refuse(
    manager: SecretManagerToken, project: str | None, cluster: ClusterPlan | None, env_only: Sequence[str]
) -> None:
    problems = homeless(manager, project, cluster, "huggingFace.secretManager")
    if cluster is not None and cluster.managed is not None and not cluster.managed.secret_manager:
        message = (
            "the cluster has neither Secret Manager's CSI driver nor its sync, so the pods would wait for the token"
        )
        problems.append(Problem("huggingFace.secretManager", message, "set cluster.secretManager: true"))
    if manager.delivery == "file" and env_only:
        message = f"TGI reads the token only from its environment, and {', '.join(env_only)} would have none there"
        problems.append(Problem("huggingFace.secretManager.delivery", message, "set delivery: sync"))
    if problems:
        raise ConfigError(problems)


def secret_path(secret: str, project: str | None) -> str:
    """A secret of Secret Manager by its whole path, whether it was named by that or by its id in the project."""
    return secret if "/" in secret else f"projects/{project or '-'}/secrets/{secret}"


def homeless(
    manager: SecretManagerToken | SecretManagerKey, project: str | None, cluster: ClusterPlan | None, path: str
) -> list[Problem]:
    """Why a secret of Secret Manager at a config path cannot be reached where nobody says which project it is of.

    A cluster that the stack makes gets Google's own default project, which planning does not know.
    """
    if project is not None or cluster is None or cluster.managed is not None:
        return []
    if "/" not in manager.secret:
        return [Problem(f"{path}.secret", f"the stack does not name the project of {manager.secret}", _PROJECT)]
    if manager.manage_access:
        what = "roles belong to the pods' principal in a Google Cloud project, and the stack names none"
        return [Problem(f"{path}.manageAccess", what, _PROJECT)]
    return []
