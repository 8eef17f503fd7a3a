"""Variables of the engine's container that come from a Secret or a ConfigMap: the config names the place, no value."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from l4serve.config.keys.base import ConfigModel, ObjectName

KeyName = Annotated[str, Field(pattern=r"^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,251}$", examples=["api-key"])]
"""A key in a Secret or a ConfigMap."""


class EnvSource(ConfigModel):
    """One key of a Secret or a ConfigMap that the namespace already holds; a pod without it does not start."""

    secret: ObjectName | None = None
    """Name of the Secret that holds the variable's value."""
    config_map: ObjectName | None = None
    """Name of the ConfigMap that holds the variable's value, in place of a Secret."""
    key: KeyName
    """Key of the Secret or ConfigMap whose value the variable gets."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.secret is not None and self.config_map is not None:
            raise ValueError("secret and configMap are two places for one value; remove one of them")
        if self.secret is None and self.config_map is None:
            raise ValueError("it names neither a Secret nor a ConfigMap; add secret: NAME, or configMap: NAME")
        return self
