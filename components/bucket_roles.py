"""Roles of buckets that the pods of a stack have, each granted once for all workloads of one account."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.google import gcp
from components.workload_principal import workload_principal
from l4serve.config.frozen import frozen
from l4serve.planning.stack.bucket_grants import BucketGrant

_OWN = "BucketRoles"
_OWNERS = (_OWN, "PodCloudRoles", "WeightStore")
"""Components that make grants, or made them in earlier versions: one for each workload that asked."""
_KIND = "gcp:storage/bucketIAMMember:BucketIAMMember"


@frozen(kw_only=True)
class BucketRolesArgs:
    """The grants of a stack, the outputs of its deployed resources by URN, and what exists once the APIs are on."""

    grants: Sequence[BucketGrant]
    deployed: Mapping[str, Mapping[str, Any]]
    after: Sequence[pulumi.Resource] = ()


class BucketRoles(pulumi.ComponentResource):
    """Grants roles on buckets to principals of pods, or to the Google accounts that they act as. Makes no account."""

    def __init__(self, name: str, args: BucketRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"l4serve:serving:{_OWN}", name, None, opts)
        self._after, self._deployed = args.after, args.deployed
        self._members: dict[str, pulumi.Output[str]] = {}
        self._of: dict[str, list[pulumi.Resource]] = {}
        for grant in args.grants:
            made = self._make_grant(grant)
            for workload in grant.workloads:
                self._of.setdefault(workload.name, []).append(made)
        self.register_outputs({})

    def of(self, workload: str) -> list[pulumi.Resource]:
        """What must exist before the pods of a workload."""
        return self._of.get(workload, [])

    def _make_grant(self, grant: BucketGrant) -> gcp.storage.BucketIAMMember:
        """A role, named by all that the grant says.

        A grant to another is a resource of its own: the update back would delete the one that it has just made again.
        Of the resources that earlier versions made of it, for whatever workload, it takes over one. The others stay
        beside it and are let go of in the end: whoever deletes one of them takes the role from all.
        """
        name = "/".join((grant.bucket, grant.role.rpartition("/")[2], grant.account))
        own = _urn(name)
        twins = [urn for urn, outputs in self._deployed.items() if urn != own and _is_twin(urn, outputs, grant)]
        taken = twins[: own not in self._deployed]
        made = self._bind(grant, name, taken)
        for urn in twins[len(taken) :]:
            beside = f"{name}/{re.split('::|/', urn)[-1]}"
            self._bind(grant, beside, [urn] if urn != _urn(beside) else [], retain=True)
        return made

    def _bind(
        self, grant: BucketGrant, name: str, older: Sequence[str], *, retain: bool = False
    ) -> gcp.storage.BucketIAMMember:
        opts = pulumi.ResourceOptions(parent=self, aliases=[*older], retain_on_delete=retain)
        member = self._member(grant)
        return gcp.storage.BucketIAMMember(name, bucket=grant.bucket, role=grant.role, member=member, opts=opts)

    def _member(self, grant: BucketGrant) -> pulumi.Output[str]:
        """The IAM member that the pods are: their own principal, or the Google account they act as."""
        identity, namespace = grant.workloads[0].identity, grant.workloads[0].namespace
        if identity.google_account is not None:
            return pulumi.Output.from_input(f"serviceAccount:{identity.google_account}")
        if grant.account not in self._members:
            self._members[grant.account] = workload_principal(
                identity.project or "", namespace, identity.account, parent=self, after=self._after
            )
        return self._members[grant.account]


def _is_twin(urn: str, outputs: Mapping[str, Any], grant: BucketGrant) -> bool:
    """Whether a resource of the stack's state is the same grant."""
    member = str(outputs.get("member"))
    return (
        any(f"l4serve:serving:{owner}${_KIND}::" in urn for owner in _OWNERS)
        and str(outputs.get("bucket")).removeprefix("b/") == grant.bucket
        and outputs.get("role") == grant.role
        and grant.account == _account_of(member)
    )


def _account_of(member: str) -> str:
    """Who an IAM member is, as a grant names it: a Google account, or `NAMESPACE/ACCOUNT` of Kubernetes."""
    namespace, _, account = member.rpartition("/subject/ns/")[2].partition("/sa/")
    return f"{namespace}/{account}" if account else member.removeprefix("serviceAccount:")


def _urn(name: str) -> str:
    return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::l4serve:serving:{_OWN}${_KIND}::{name}"
