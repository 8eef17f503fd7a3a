"""Variables of a container whose values a Secret or a ConfigMap holds. No component: those that make pods use it."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from l4serve.config.keys.container_env import EnvSource


def sourced(name: str, source: EnvSource) -> k8s.core.v1.EnvVarArgs:
    """A variable whose value a Secret or a ConfigMap holds."""
    if source.secret is not None:
        return from_secret(name, source.secret, source.key)
    reference = k8s.core.v1.ConfigMapKeySelectorArgs(name=source.config_map, key=source.key)
    return k8s.core.v1.EnvVarArgs(name=name, value_from=k8s.core.v1.EnvVarSourceArgs(config_map_key_ref=reference))


def from_secret(name: str, secret: pulumi.Input[str | None], key: str) -> k8s.core.v1.EnvVarArgs:
    """A variable whose value is a key of a Secret."""
    reference = k8s.core.v1.SecretKeySelectorArgs(name=secret, key=key)
    return k8s.core.v1.EnvVarArgs(name=name, value_from=k8s.core.v1.EnvVarSourceArgs(secret_key_ref=reference))
