"""The key that clients of an engine send: where it is kept, never its value."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from l4serve.config.keys.base import ConfigModel, ObjectName, PositiveInt, exactly_one
from l4serve.config.keys.container_env import KeyName
from l4serve.config.words.written_forms import IN_PROJECT

SecretName = Annotated[str, Field(pattern=rf"^({IN_PROJECT}secrets/)?[A-Za-z0-9_-]{{1,255}}$")]
"""A secret of Secret Manager, by its id or by its path."""


class SecretManagerKey(ConfigModel):
    """A secret of Google Secret Manager, which GKE copies into a Secret."""

    secret: SecretName
    """Secret, by its id in the cluster's project or as projects/P/secrets/S."""
    version: str = Field("latest", pattern=r"^(latest|[1-9][0-9]{0,9})$")
    """Version of the secret to read: a number, or `latest`."""
    manage_access: bool = True
    """Lets the account that copies read the secret."""


class ApiKey(ConfigModel):
    """The key that clients must send: of a Secret that is there, of Pulumi's config, or of Secret Manager."""

    secret: ObjectName | None = None
    """Name of a Secret that the namespace already holds."""
    config: str | None = Field(None, pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$", examples=["chatKey"])
    """Secret of the stack's config, in place of a Secret: `pulumi config set --secret NAME`."""
    secret_manager: SecretManagerKey | None = None
    """Secret of Secret Manager that GKE copies into a Secret, in place of one that is there."""
    key: KeyName = "api-key"
    """Key of the Secret under which the API key stands."""
    revision: PositiveInt | None = None
    """Raise it with each new key: pods read a key as they start, so the new Secret rolls them."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        places = {"secret": self.secret, "config": self.config, "secretManager": self.secret_manager}
        exactly_one("place of the key", places)
        if self.secret is not None and self.revision is not None:
            raise ValueError("revision renews a Secret that the stack makes; remove it")
        if self.config in ("serving", "hfToken"):
            raise ValueError(f"{self.config} is another key of this project; name one of your own, such as chatKey")
        return self
