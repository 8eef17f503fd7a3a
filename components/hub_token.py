"""Where a container reads the Hugging Face token: a variable, or a file that a CSI driver mounts. No component."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from components.container_env import from_secret
from l4serve.config.frozen import frozen
from l4serve.planning.gke.hf_token import TOKEN_DIR, SecretPlan

_VOLUME = "hf-token"
_SECRETS_DRIVER = "secrets-store-gke.csi.k8s.io"


@frozen(kw_only=True)
class HubToken:
    """The token's plan, and what was made of it: a Secret, or a SecretProviderClass; without a plan there is none."""

    plan: SecretPlan | None
    secret_name: pulumi.Input[str | None] = None
    provider_class: pulumi.Input[str | None] = None

    def variables(self, *names: str) -> list[k8s.core.v1.EnvVarArgs]:
        """The variables of those names with the token, or the one that names its file."""
        if self.plan is None:
            return []
        if self.plan.token_file:
            return [k8s.core.v1.EnvVarArgs(name="HF_TOKEN_PATH", value=self.plan.token_file)]
        secret = self.secret_name or self.plan.secret_name
        return [from_secret(name, secret, self.plan.key) for name in names]

    @property
    def volumes(self) -> dict[str, k8s.core.v1.VolumeArgs]:
        """The volume of the token's file, by the folder where it is mounted."""
        if self.plan is None or not self.plan.token_file:
            return {}
        attributes = {"secretProviderClass": self.provider_class or self.plan.provider_class or ""}
        source = k8s.core.v1.CSIVolumeSourceArgs(driver=_SECRETS_DRIVER, read_only=True, volume_attributes=attributes)
        return {TOKEN_DIR: k8s.core.v1.VolumeArgs(name=_VOLUME, csi=source)}
