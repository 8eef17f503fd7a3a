"""Where the pods find the Hugging Face token. The token itself is never part of this config."""

from typing import Literal, Self

from pydantic import Field, model_validator

from l4serve.config.keys.base import ConfigModel, ObjectName, PositiveInt
from l4serve.config.keys.container_env import KeyName
from l4serve.config.words.written_forms import IN_PROJECT


class SecretManagerToken(ConfigModel):
    """A secret of Google Secret Manager that holds the token."""

    secret: str = Field(pattern=rf"^({IN_PROJECT}secrets/)?[A-Za-z0-9_-]{{1,255}}$")
    """Secret, by its id in the cluster's project or as projects/P/secrets/S."""
    version: str = Field("latest", pattern=r"^(latest|[1-9][0-9]{0,9})$")
    """Version of the secret to read: a number, or `latest`."""
    delivery: Literal["sync", "file"] = "sync"
    """A Kubernetes Secret that GKE keeps in step, or a file that the CSI driver mounts (vLLM only)."""
    manage_access: bool = True
    """Lets the workloads' service account read the secret."""


class HuggingFace(ConfigModel):
    """The Kubernetes Secret that holds the Hugging Face token."""

    existing_secret: ObjectName | None = None
    """A Secret that the namespace already holds; unset makes one from the secret `hfToken`."""
    secret_manager: SecretManagerToken | None = None
    """A secret of Google Secret Manager in place of the secret `hfToken`."""
    key: KeyName = "hf_api_token"
    """Key of the Secret under which the token stands."""
    token_revision: PositiveInt | None = None
    """Raise it with each new token: the new Secret comes first, then the pods roll, then the old one goes."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.existing_secret and self.secret_manager:
            raise ValueError("existingSecret and secretManager are two sources of one token; remove one of them")
        if self.existing_secret and self.token_revision:
            raise ValueError("tokenRevision renews a Secret that the stack makes; remove it, or remove existingSecret")
        return self
