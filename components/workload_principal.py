"""Names of pods in Google Cloud's IAM, by Workload Identity. No component: those that grant roles use it."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.google import gcp
from components.namespaced import aliases
from l4serve.planning.workload.pod_identity import PodIdentity


def pod_member(
    identity: PodIdentity, namespace: str, *, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
) -> pulumi.Output[str]:
    """The IAM member that the pods of an identity are: their own principal, or the Google account they act as."""
    if identity.google_account is not None:
        return pulumi.Output.from_input(f"serviceAccount:{identity.google_account}")
    return workload_principal(identity.project or "", namespace, identity.account, parent=parent, after=after)


def bucket_grant(
    owner: str,
    bucket: str,
    role: str,
    identity: PodIdentity,
    namespace: str,
    *,
    member: pulumi.Output[str],
    parent: pulumi.Resource,
) -> gcp.storage.BucketIAMMember:
    """A role on a bucket, named by all that the grant says and by its `owner`, who has it made.

    A grant to another is a resource of its own: the update back would delete the one that it has just made again. A
    Google account is the same in each namespace: under two names, the grant that goes would take the other's along.
    """
    named = identity.google_account or f"{namespace}/{identity.account}"
    return gcp.storage.BucketIAMMember(
        "/".join((owner, bucket, role.rpartition("/")[2], named)),
        bucket=bucket,
        role=role,
        member=member,
        opts=pulumi.ResourceOptions(parent=parent, aliases=aliases(f"{owner}-{bucket}")),
    )


def workload_principal(
    project: str,
    namespace: pulumi.Input[str],
    account: str | None,
    *,
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource] = (),
) -> pulumi.Output[str]:
    """The IAM member that pods of a Kubernetes service account are; None is every account of the namespace.

    `after` exists once the project's APIs are on, which its number is asked of.
    """
    number = gcp.organizations.get_project_output(
        project_id=project, opts=pulumi.InvokeOutputOptions(parent=parent, depends_on=list(after))
    ).number
    pool = pulumi.Output.concat("iam.googleapis.com/projects/", number, "/locations/global/workloadIdentityPools/")
    pool = pulumi.Output.concat(pool, project, ".svc.id.goog")
    if account is None:
        return pulumi.Output.concat("principalSet://", pool, "/namespace/", namespace)
    return pulumi.Output.concat("principal://", pool, "/subject/ns/", namespace, "/sa/", account)
