"""Roles of buckets that the pods of a stack have, each granted once for all workloads of one account."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pulumi

from components.google import gcp
from components.workload_principal import workload_principal
from l4serve.config.frozen import frozen
from l4serve.planning.stack.bucket_grants import BucketGrant

_OWN = "BucketRoles"
_OLDER_OWNERS = (("PodCloudRoles", ""), ("WeightStore", "-weights"))
"""Components of a workload that each made its grants in earlier versions, and how their names end."""


@frozen(kw_only=True)
class BucketRolesArgs:
    """The grants of a stack, what exists once the project's APIs are on, and the URNs that the stack's state has."""

    grants: Sequence[BucketGrant]
    after: Sequence[pulumi.Resource] = ()
    deployed: Collection[str] = ()


class BucketRoles(pulumi.ComponentResource):
    """Grants roles on buckets to principals of pods, or to the Google accounts that they act as. Makes no account."""

    def __init__(self, name: str, args: BucketRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"l4serve:serving:{_OWN}", name, None, opts)
        self._after, self._deployed = args.after, frozenset(args.deployed)
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
        Of the resources that several workloads had of it in earlier versions it takes over one. The others stay beside
        it and are let go of in the end: whoever deletes one of them takes the role from all.
        """
        name = "/".join((grant.bucket, grant.role.rpartition("/")[2], grant.account))
        older = {each.object_name: _older_urns(each.object_name, grant.bucket) for each in grant.workloads}
        held = [each for each, urns in older.items() if self._is_deployed(*urns, _urn(_OWN, f"{name}/{each}"))]
        beside = held if self._is_deployed(_urn(_OWN, name)) else held[1:]
        made = self._bind(grant, name, [urn for each, urns in older.items() if each not in beside for urn in urns])
        for each in beside:
            self._bind(grant, f"{name}/{each}", older[each], retain=True)
        return made

    def _is_deployed(self, *urns: str) -> bool:
        return not self._deployed.isdisjoint(urns)

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


def _older_urns(owner: str, bucket: str) -> list[str]:
    """What the grant was called as a resource of one workload."""
    return [_urn(component, f"{owner}{end}-{bucket}") for component, end in _OLDER_OWNERS]


def _urn(component: str, name: str) -> str:
    kinds = f"l4serve:serving:{component}$gcp:storage/bucketIAMMember:BucketIAMMember"
    return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{kinds}::{name}"
