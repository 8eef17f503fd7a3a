"""What the login may do: in the stack's project, in others whose parts it binds roles on, and on buckets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.planning.stack.bucket_grants import BucketGrant, bucket_grants
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown
from l4serve.verification.google_apis import ApiError, GoogleApis


def rights_findings(plan: StackPlan, project: str, apis: GoogleApis, *, names: Collection[str]) -> Iterator[Finding]:
    """What the login may do in the project, which has all `names`, in each other one, and on each bucket.

    Addresses name a project by id or by number, as https://docs.cloud.google.com/iam/docs/service-account-types tells.
    """
    wanted: dict[str, dict[str, str]] = {}
    for place, part in _parts(plan, names):
        own = place is None or place == "-" or place in names
        wanted.setdefault(project if own else str(place), {}).update(_table()["permissions"][part])
    for place in sorted(wanted, key=lambda each: each != project):
        if place == project:
            yield _may("roles", wanted[place], place, apis)
            continue
        subject = f"roles in {place}"
        try:
            yield _may(subject, wanted[place], place, apis)
        except ApiError as error:
            yield unknown(subject, f"{error}", _grant(wanted[place], wanted[place], place))
    grants = bucket_grants(plan.workloads)
    for bucket in dict.fromkeys(grant.bucket for grant in grants):
        yield _may_grant(bucket, [grant for grant in grants if grant.bucket == bucket], apis)


def needed_rights(plan: StackPlan) -> bool:
    """Whether an update needs any right in Google Cloud."""
    return any(True for _ in _parts(plan, ())) or bool(bucket_grants(plan.workloads))


def secret_projects(plan: StackPlan) -> set[str]:
    """Projects of the secrets in Secret Manager whose reading the stack grants; `-` is the stack's own."""
    keys = [plan.secret, *(each.engine.key_source for each in plan.workloads)]
    granted = [key.secret_version for key in keys if key is not None and key.secret_version and key.manage_access]
    return {each.split("/")[1] for each in granted}


def _parts(plan: StackPlan, names: Collection[str]) -> Iterator[tuple[str | None, str]]:
    """Each part of a stack that takes rights, and its project where that may be another than the stack's."""
    stores = [each.storage.store for each in plan.workloads]
    alerts = [each.alerts for each in plan.workloads]
    looked_up = plan.cluster.managed is None
    made = {
        "cluster": not looked_up,
        "pools": looked_up and any(pool.create for pool in plan.node_pools),
        "address": plan.gateway is not None and plan.gateway.reserve_address,
        "policies": any(each is not None and each.via == "policies" for each in alerts),
        "dashboard": plan.dashboard is not None,
        "disks": any(each is not None and each.kind == "hyperdisk" for each in stores),
    }
    for part, is_made in made.items():
        if is_made:
            yield None, part
    yield from ((place, "subnet") for place in _subnet_projects(plan, names))
    accounts = [each.identity.google_project for each in plan.workloads]
    yield from ((place, "accounts") for place in dict.fromkeys(accounts) if place is not None)
    yield from ((place, "secrets") for place in sorted(secret_projects(plan)))


def _subnet_projects(plan: StackPlan, names: Collection[str]) -> Iterator[str | None]:
    """Project of a network in which the stack makes a subnet, or a router where that is another's."""
    network = plan.cluster.managed.network if plan.cluster.managed else None
    host = network.project if network is not None else None
    has_proxies = plan.gateway is not None and plan.gateway.proxy_subnet is not None
    if has_proxies or (network is not None and network.nat and host not in (None, *names)):
        yield host


def _may(subject: str, needed: Mapping[str, str], project: str, apis: GoogleApis) -> Finding:
    """Whether the login has the permissions in a project, each of which comes with a role."""
    body = {"permissions": list(needed)}
    held = set(apis.post("projects", f"projects/{project}:testIamPermissions", body).get("permissions", ()))
    lacking = sorted(set(needed) - held)
    if not lacking:
        return ok(subject, "the login may make what the stack has")
    return bad(subject, f"the login lacks {', '.join(lacking)}", _grant(lacking, needed, project))


def _grant(lacking: Collection[str], needed: Mapping[str, str], project: str) -> str:
    return f"grant {', '.join(sorted({needed[each] for each in lacking}))} on project {project}"


def _may_grant(bucket: str, grants: Collection[BucketGrant], apis: GoogleApis) -> Finding:
    row = _table()["bucket"]
    try:
        found = apis.get("storage", f"b/{bucket}/iam/testPermissions", permissions=[row["permission"]])
    except ApiError as error:
        return unknown(f"bucket {bucket}", f"{error}", f"gcloud storage buckets describe gs://{bucket}")
    roles = " and ".join(dict.fromkeys(grant.role for grant in grants))
    if row["permission"] in found.get("permissions", ()):
        return ok(f"bucket {bucket}", f"the login may grant {roles}")
    fix = f"grant {row['role']} on gs://{bucket} to the login"
    edits = [edit for grant in grants for edit in _edits(grant)]
    if None not in edits:
        # Google Cloud keeps a binding once, and the update deletes that of the stack, whoever granted it too.
        yours = " and ".join(f"{grant.role} to {grant.account}" for grant in grants)
        changed = " and ".join(dict.fromkeys(filter(None, edits)))
        fix += f", or {changed}, then pulumi up, then grant {yours} on gs://{bucket} yourself"
    return bad(f"bucket {bucket}", f"the login lacks {row['permission']}, by which the pods get {roles}", fix)


def _edits(grant: BucketGrant) -> Iterator[str | None]:
    """What takes a grant out of a stack, for each workload; None for adapters of a model that is in no bucket."""
    for workload in grant.workloads:
        path = f"workloads.{workload.name}"
        if (grant.bucket, grant.role) in workload.identity.bucket_roles:
            yield f"remove {path}.serviceAccount.buckets.{grant.bucket}"
        else:
            yield f"set {path}.model.source.manageAccess: false" if workload.storage.has_switch else None


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "doctor.yaml")
    return table
