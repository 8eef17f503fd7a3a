"""The Google account that the pods of one planned workload act as."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.google import gcp
from components.namespaced import NamespacedComponent, aliases
from l4serve.config.frozen import frozen
from l4serve.planning.workload.pods.pod_identity import PodIdentity


@frozen(kw_only=True)
class PodCloudRolesArgs:
    """The pods' identity and namespace, and what exists once the project's APIs are on."""

    identity: PodIdentity
    namespace: str
    after: Sequence[pulumi.Resource] = ()


class PodCloudRoles(NamespacedComponent):
    """Lets the pods' Kubernetes account act as a Google one. Makes no account and grants it nothing."""

    def __init__(self, name: str, args: PodCloudRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:PodCloudRoles", name, args.namespace, opts)
        self._args, self._identity = args, args.identity
        if args.identity.google_account is not None:
            self._make_impersonation(args.identity.google_account)
        self.register_outputs({})

    def _make_impersonation(self, google: str) -> None:
        """Lets the Kubernetes account act as the Google one."""
        account = f"{self._args.namespace}/{self._identity.account}"
        gcp.serviceaccount.IAMMember(
            f"{self._name}-{self._identity.account}-acts-as-{google}",
            service_account_id=f"projects/{self._identity.google_project}/serviceAccounts/{google}",
            role="roles/iam.workloadIdentityUser",
            member=f"serviceAccount:{self._identity.project}.svc.id.goog[{account}]",
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=list(self._args.after), aliases=aliases(f"{self._plain}-acts-as")
            ),
        )
