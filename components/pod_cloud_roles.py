"""What the pods of one planned workload may do in Google Cloud."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.google import gcp
from components.namespaced import NamespacedComponent, aliases
from components.workload_principal import bucket_grant, pod_member
from l4serve.config.frozen import frozen
from l4serve.planning.workload.pod_identity import PodIdentity


@frozen(kw_only=True)
class PodCloudRolesArgs:
    """The pods' identity and namespace, and what exists once the project's APIs are on."""

    identity: PodIdentity
    namespace: str
    after: Sequence[pulumi.Resource] = ()


class PodCloudRoles(NamespacedComponent):
    """Grants the pods' principal, or the Google account that they act as, its roles. Makes no account."""

    def __init__(self, name: str, args: PodCloudRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:PodCloudRoles", name, args.namespace, opts)
        self._args, self._identity = args, args.identity
        google = args.identity.google_account
        if google is not None:
            self._make_impersonation(google)
        if args.identity.bucket_roles:
            member = pod_member(args.identity, args.namespace, parent=self, after=args.after)
            for bucket, role in args.identity.bucket_roles:
                bucket_grant(self._plain, bucket, role, args.identity, args.namespace, member=member, parent=self)
        self.register_outputs({})

    def _make_impersonation(self, google: str) -> None:
        """Lets the Kubernetes account act as the Google one, whose project is in its name."""
        owner = google.partition("@")[2].partition(".")[0]
        account = f"{self._args.namespace}/{self._identity.account}"
        gcp.serviceaccount.IAMMember(
            f"{self._name}-{self._identity.account}-acts-as-{google}",
            service_account_id=f"projects/{owner}/serviceAccounts/{google}",
            role="roles/iam.workloadIdentityUser",
            member=f"serviceAccount:{self._identity.project}.svc.id.goog[{account}]",
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=list(self._args.after), aliases=aliases(f"{self._plain}-acts-as")
            ),
        )
