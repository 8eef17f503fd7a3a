"""What Google Cloud says of a stack: its project, APIs, rights, GPU quota, and zones that sell its machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.planning.stack.bucket_grants import bucket_grants
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown
from l4serve.verification.doctor_quota import quota_findings
from l4serve.verification.google_apis import ApiError, GoogleApis


def cloud_findings(plan: StackPlan, project: str, apis: GoogleApis) -> Iterator[Finding]:
    """Findings about a project, in the order in which each depends on those before it."""
    try:
        state = apis.get("projects", f"projects/{project}").get("lifecycleState")
    except ApiError as error:
        fix = "pulumi config set gcp:project PROJECT, or ask for access to it"
        yield bad("project", f"{project}: {error}", fix)
        return
    if state != "ACTIVE":
        yield bad("project", f"{project} is {state}", "gcloud projects undelete, or name another in gcp:project")
        return
    yield ok("project", f"{project} is active")
    looks = {"services": _services, "rights": _rights, "quota": quota_findings, "zones": _zones}
    for subject, look in looks.items():
        try:
            yield from look(plan, project, apis)
        except ApiError as error:
            yield unknown(subject, f"{error}")


def no_project(plan: StackPlan) -> Finding:
    """What to say of a stack that names no project: one that only reaches a cluster by its kubeconfig needs none."""
    cluster = plan.cluster
    asks = cluster.managed is not None or cluster.looked_up or granted_buckets(plan) or [*_needed(plan, "-")]
    if asks:
        return bad("project", "the stack names none", "pulumi config set gcp:project PROJECT")
    return ok("project", "none is needed: a kubeconfig names the cluster, and nothing is made in Google Cloud")


def _services(plan: StackPlan, project: str, apis: GoogleApis) -> Iterator[Finding]:
    table = _table()
    wanted = list(table["apis"])
    managed = plan.cluster.managed
    if managed is None:
        picked = any(each.route is not None and each.route.picker is not None for each in plan.workloads)
        wanted += [*table["used"], *(table["usedByPickers"] if picked else ())]
        wanted += table["usedBySecrets"] if granted_secrets(plan, project) else ()
    elif not managed.apis:
        # The stack turns none on, so those that its parts use must be on before.
        wanted += [name for name in managed.used_apis if name not in wanted]
    names = [f"projects/{project}/services/{name}" for name in wanted]
    found = apis.get("services", f"projects/{project}/services:batchGet", names=names).get("services", [])
    on = {str(each.get("name", "")).rpartition("/")[2] for each in found if each.get("state") == "ENABLED"}
    missing = [name for name in wanted if name not in on]
    if missing:
        yield bad(
            "APIs", f"off: {', '.join(missing)}", f"gcloud services enable {' '.join(missing)} --project {project}"
        )
    else:
        yield ok("APIs", "those that the first update needs are on")


def _rights(plan: StackPlan, project: str, apis: GoogleApis) -> Iterator[Finding]:
    """What the login may do in the project and in its network's, and on each bucket that the stack grants a role of."""
    needed = dict(_needed(plan, project))
    if needed:
        yield _may("roles", needed, project, apis)
    host = _host_project(plan, project)
    if host is not None:
        try:
            yield _may(f"roles in {host}", _table()["permissions"]["subnet"], host, apis)
        except ApiError as error:
            yield unknown(f"roles in {host}", f"{error}")
    for bucket in granted_buckets(plan):
        yield _may_grant(bucket, apis)


def _may(subject: str, needed: Mapping[str, str], project: str, apis: GoogleApis) -> Finding:
    """Whether the login has the permissions in a project, each of which comes with a role."""
    body = {"permissions": list(needed)}
    held = set(apis.post("projects", f"projects/{project}:testIamPermissions", body).get("permissions", ()))
    lacking = sorted(set(needed) - held)
    if not lacking:
        return ok(subject, "the login may make what the stack has")
    fix = f"grant {', '.join(sorted({needed[each] for each in lacking}))} on project {project}"
    return bad(subject, f"the login lacks {', '.join(lacking)}", fix)


def _host_project(plan: StackPlan, project: str) -> str | None:
    """Project of a shared network in which the stack makes a subnet or a router; None where that is its own."""
    network = plan.cluster.managed.network if plan.cluster.managed else None
    made = network is not None and (network.nat or (plan.gateway is not None and plan.gateway.proxy_subnet is not None))
    return network.project if network is not None and made and network.project != project else None


def granted_secrets(plan: StackPlan, project: str) -> tuple[str, ...]:
    """Secrets of a project's Secret Manager whose reading the stack grants."""
    keys = [plan.secret, *(each.engine.key_source for each in plan.workloads)]
    granted = [key.secret_version for key in keys if key is not None and key.secret_version and key.manage_access]
    return tuple(each for each in granted if each.split("/")[1] in (project, "-"))


def _needed(plan: StackPlan, project: str) -> Iterator[tuple[str, str]]:
    """Permissions that the parts of a stack take, each with a role that has it."""
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
        "subnet": plan.gateway is not None
        and plan.gateway.proxy_subnet is not None
        and _host_project(plan, project) is None,
        "accounts": any(each.identity.google_project == project for each in plan.workloads),
        "secrets": bool(granted_secrets(plan, project)),
    }
    for part, permissions in _table()["permissions"].items():
        if made[part]:
            yield from permissions.items()


def granted_buckets(plan: StackPlan) -> tuple[str, ...]:
    """Buckets that the stack binds a role on."""
    return tuple(dict.fromkeys(grant.bucket for grant in bucket_grants(plan.workloads)))


def _may_grant(bucket: str, apis: GoogleApis) -> Finding:
    row = _table()["bucket"]
    try:
        found = apis.get("storage", f"b/{bucket}/iam/testPermissions", permissions=[row["permission"]])
    except ApiError as error:
        return unknown(f"bucket {bucket}", f"{error}", f"gcloud storage buckets describe gs://{bucket}")
    if row["permission"] in found.get("permissions", ()):
        return ok(f"bucket {bucket}", "the login may grant its reading")
    fix = f"grant {row['role']} on gs://{bucket}, or set manageAccess: false and grant the reading yourself"
    return bad(f"bucket {bucket}", f"the login lacks {row['permission']}, by which the pods get their right", fix)


def _zones(plan: StackPlan, project: str, apis: GoogleApis) -> Iterator[Finding]:
    """Whether each zone of each pool sells its machine type and its accelerator."""
    for pool in plan.node_pools:
        wrong = []
        for zone in pool.size.zones if pool.create else ():
            for kind, name in (("machineTypes", pool.machine_type), ("acceleratorTypes", pool.accelerator)):
                try:
                    apis.get("compute", f"projects/{project}/zones/{zone}/{kind}/{name}")
                except ApiError as error:
                    if error.status != 404:
                        raise
                    wrong.append(f"{zone} has no {name}")
        if wrong:
            fix = f"set nodePools.{pool.name}.zones to others: l4serve shapes --region {plan.cluster.region}"
            yield bad(f"zones of {pool.name}", "; ".join(wrong), fix)
        elif pool.create and pool.size.zones:
            yield ok(f"zones of {pool.name}", f"{', '.join(pool.size.zones)} sell {pool.machine_type}")


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "doctor.yaml")
    return table
