"""The Hugging Face token in the cluster: a Kubernetes Secret, or what Secret Manager needs to deliver it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.google import gcp
from components.namespaced import NamespacedComponent, aliases
from components.workload_principal import workload_principal
from l4serve.config.frozen import frozen
from l4serve.planning.gke.hf_token import SecretPlan

_CSI_API = "secrets-store.csi.x-k8s.io/v1"
_SYNC_API = "secret-sync.gke.io/v1"


@frozen(kw_only=True)
class HfTokenSecretArgs:
    """The Secret's plan, its namespace, and the token (None: there is none, and no Secret is made of it)."""

    plan: SecretPlan
    namespace: str
    token: pulumi.Output[str] | None = None
    project: str | None = None
    """Project of the cluster, for access to Secret Manager."""
    after: Sequence[pulumi.Resource] = ()
    """What exists once the project's APIs are on, which its number is asked of."""
    google_accounts: Sequence[str] = ()
    """Google accounts that pods act as which mount the token: the driver asks for it as them."""


class HfTokenSecret(NamespacedComponent):
    """Brings the token into one namespace. Manages neither the token's value in Secret Manager nor the pods.

    `opts` carries the Kubernetes provider.
    """

    _type = "l4serve:secrets:HfTokenSecret"
    secret_name: pulumi.Output[str | None]
    """Kubernetes Secret that pods refer to; None without a token, or where pods read a file."""
    provider_class: pulumi.Output[str | None]
    """SecretProviderClass for a CSI volume; None unless pods read a file."""

    def __init__(self, name: str, args: HfTokenSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(self._type, name, args.namespace, opts)
        self._args, self._plan = args, args.plan
        self.secret_name = pulumi.Output.from_input(None)
        self.provider_class = pulumi.Output.from_input(None)
        match args.plan.source:
            case "existing":
                self.secret_name = pulumi.Output.from_input(args.plan.secret_name)
            case "secret-manager":
                self._deliver_from_secret_manager()
            case "token" if args.token is not None:
                self.secret_name = self._make_secret(args.token).metadata.apply(lambda meta: meta.name)
        self.register_outputs({"secretName": self.secret_name, "providerClass": self.provider_class})

    def _metadata(self, name: str | None) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(name=name, namespace=self._args.namespace, labels=dict(self._plan.labels))

    def _make_secret(self, token: pulumi.Output[str]) -> k8s.core.v1.Secret:
        """The Secret; each revision is a resource of its own.

        As one resource, the old Secret of an update that fails waits for its deletion, and the update back takes it
        for new and then deletes it.
        """
        name, revision = f"{self._name}-secret", self._plan.revision
        return k8s.core.v1.Secret(
            name if revision is None else f"{name}-{revision}",
            metadata=self._metadata(self._plan.secret_name),
            type="Opaque",
            string_data={self._plan.key: token},
            opts=pulumi.ResourceOptions(parent=self, aliases=aliases(f"{self._plain}-secret")),
        )

    def _deliver_from_secret_manager(self) -> None:
        account = self._make_reader() if self._plan.synced else None
        grant = self._make_grants() if self._plan.manage_access else None
        source = self._make_provider_class()
        class_name = source.metadata.apply(lambda meta: meta["name"])
        if account is None:
            self.provider_class = class_name
            return
        sync = self._make_sync(account, class_name, grant)
        self.secret_name = sync.metadata.apply(lambda meta: meta["name"])

    def _make_reader(self) -> k8s.core.v1.ServiceAccount:
        return k8s.core.v1.ServiceAccount(
            f"{self._name}-reader",
            metadata=self._metadata(self._plan.reader),
            automount_service_account_token=False,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_grants(self) -> gcp.secretmanager.SecretIamMember:
        """Lets those who ask for the token read it: the reader, or the pods, by whomever they act as.

        https://github.com/GoogleCloudPlatform/secrets-store-csi-driver-provider-gcp/blob/main/docs/authentication.md
        """
        for account in () if self._plan.synced else self._args.google_accounts:
            self._grant(f"{account}-access", f"serviceAccount:{account}")
        member = workload_principal(
            self._args.project or "",
            self._args.namespace,
            self._plan.reader if self._plan.synced else None,
            parent=self,
            after=self._args.after,
        )
        return self._grant(f"{'reader' if self._plan.synced else 'pods'}-access", member, f"{self._plain}-access")

    def _grant(self, suffix: str, member: pulumi.Input[str], *older: str) -> gcp.secretmanager.SecretIamMember:
        secret, _, _ = (self._plan.secret_version or "").partition("/versions/")
        _, project, _, secret_name = secret.split("/")
        return gcp.secretmanager.SecretIamMember(
            f"{self._name}/{project}/{secret_name}-{suffix}",
            secret_id=secret,
            role="roles/secretmanager.secretAccessor",
            member=member,
            opts=pulumi.ResourceOptions(parent=self, aliases=aliases(*older)),
        )

    def _make_provider_class(self) -> k8s.apiextensions.CustomResource:
        listing = f'- resourceName: "{self._plan.secret_version}"\n  path: "{self._plan.key}"\n'
        return self._custom(
            "source", _CSI_API, "SecretProviderClass", self._plan.provider_class,
            {"provider": "gke", "parameters": {"secrets": listing}},
        )  # fmt: skip

    def _make_sync(
        self,
        account: k8s.core.v1.ServiceAccount,
        class_name: pulumi.Output[str],
        grant: gcp.secretmanager.SecretIamMember | None,
    ) -> k8s.apiextensions.CustomResource:
        spec = {
            "serviceAccountName": account.metadata.apply(lambda meta: meta.name),
            "secretProviderClassName": class_name,
            "secretObject": {"type": "Opaque", "data": [{"sourcePath": self._plan.key, "targetKey": self._plan.key}]},
        }
        return self._custom("sync", _SYNC_API, "SecretSync", self._plan.secret_name, spec, [grant] if grant else [])

    def _custom(
        self,
        suffix: str,
        api: str,
        kind: str,
        name: str | None,
        spec: dict[str, Any],
        after: list[pulumi.Resource] | None = None,
    ) -> k8s.apiextensions.CustomResource:
        return k8s.apiextensions.CustomResource(
            f"{self._name}-{suffix}",
            api_version=api,
            kind=kind,
            metadata=self._metadata(name),
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after or []),
        )


class ApiKeySecret(HfTokenSecret):
    """Brings the key that clients of one workload send into its namespace, as the token is brought."""

    _type = "l4serve:secrets:ApiKeySecret"
