"""Roles of buckets that the pods of a stack have, each granted once for all workloads of one account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pulumi

from components.google import gcp
from components.workload_principal import workload_principal
from l4serve.config.frozen import frozen
from l4serve.planning.stack.bucket_grants import BucketGrant

_OLDER_OWNERS = (("PodCloudRoles", ""), ("WeightStore", "-weights"))
"""Components of a workload that each made its grants in earlier versions, and how their names end."""


@frozen(kw_only=True)
class BucketRolesArgs:
    """The grants of a stack, and what exists once the project's APIs are on."""

    grants: Sequence[BucketGrant]
    after: Sequence[pulumi.Resource] = ()


class BucketRoles(pulumi.ComponentResource):
    """Grants roles on buckets to principals of pods, or to the Google accounts that they act as. Makes no account."""

    def __init__(self, name: str, args: BucketRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:BucketRoles", name, None, opts)
        self._after = args.after
        self._members: dict[str, pulumi.Output[str]] = {}
        self._made = [(grant, self._make_grant(grant)) for grant in args.grants]
        self.register_outputs({})

    def of(self, workload: str) -> list[pulumi.Resource]:
        """What must exist before the pods of a workload."""
        return [made for grant, made in self._made if workload in [each.name for each in grant.workloads]]

    def _make_grant(self, grant: BucketGrant) -> gcp.storage.BucketIAMMember:
        """A role, named by all that the grant says.

        A grant to another is a resource of its own: the update back would delete the one that it has just made again.
        """
        return gcp.storage.BucketIAMMember(
            "/".join((grant.bucket, grant.role.rpartition("/")[2], grant.account)),
            bucket=grant.bucket,
            role=grant.role,
            member=self._member(grant),
            opts=pulumi.ResourceOptions(parent=self, aliases=list(_older_names(grant))),
        )

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


def _older_names(grant: BucketGrant) -> Iterator[str]:
    """URNs that the grant had as a resource of a workload."""
    stack, project = pulumi.get_stack(), pulumi.get_project()
    for workload in grant.workloads:
        for component, end in _OLDER_OWNERS:
            kinds = f"l4serve:serving:{component}$gcp:storage/bucketIAMMember:BucketIAMMember"
            yield f"urn:pulumi:{stack}::{project}::{kinds}::{workload.object_name}{end}-{grant.bucket}"
