"""The service account of a cluster's nodes."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.google import gcp
from l4serve.config.frozen import frozen
from l4serve.planning.gke.cluster_plan import NodeIdentityPlan


@frozen(kw_only=True)
class NodeIdentityArgs:
    """The identity's plan, and what must exist before it (the enabled APIs)."""

    plan: NodeIdentityPlan
    after: Sequence[pulumi.Resource] = ()


class NodeIdentity(pulumi.ComponentResource):
    """Makes a service account with the roles that a node needs and no more, or hands an existing one on."""

    email: pulumi.Output[str]
    """E-mail of the account, known once its roles are granted: a node without them never turns ready."""

    def __init__(self, name: str, args: NodeIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:cluster:NodeIdentity", name, None, opts)
        self._name, self._plan = name, args.plan
        self.email = self._make_account(list(args.after)) if args.plan.create else self._existing()
        self.register_outputs({"email": self.email})

    def _existing(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(self._plan.email or "")

    def _make_account(self, after: list[pulumi.Resource]) -> pulumi.Output[str]:
        account = gcp.serviceaccount.Account(
            f"{self._name}-account",
            account_id=self._plan.account_id,
            display_name=self._plan.display_name,
            project=self._plan.project,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
        grants = [self._make_grant(account, role) for role in self._plan.roles]
        granted: pulumi.Output[list[str]] = pulumi.Output.all(*(grant.etag for grant in grants))
        return pulumi.Output.all(account.email, granted).apply(lambda known: known[0])

    def _make_grant(self, account: gcp.serviceaccount.Account, role: str) -> gcp.projects.IAMMember:
        return gcp.projects.IAMMember(
            f"{self._name}-{role.rsplit('/', 1)[-1].rsplit('.', 1)[-1].lower()}",
            project=account.project,
            role=role,
            member=account.member,
            opts=pulumi.ResourceOptions(parent=self),
        )
