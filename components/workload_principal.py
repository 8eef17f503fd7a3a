"""Names of pods in Google Cloud's IAM, by Workload Identity. No component: those that grant roles use it."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.google import gcp


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
