"""Where the pods find the Hugging Face token. The token itself is never part of this config."""

from components.config.base import ConfigModel, ObjectName, PositiveInt


class HuggingFace(ConfigModel):
    """The Kubernetes Secret that holds the Hugging Face token."""

    existing_secret: ObjectName | None = None
    """A Secret that the namespace already holds; unset makes one from the secret `hfToken`."""
    key: str = "hf_api_token"
    """Key of the token in the Secret."""
    token_revision: PositiveInt | None = None
    """Raise it with each new token: the new Secret comes first, then the pods roll, then the old one goes."""
