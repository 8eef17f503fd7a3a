"""What Google Cloud says of a stack: its project, APIs, rights, GPU quota, and zones that sell its machines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.planning.stack.node_counts import node_counts
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.node_choice import ACCELERATOR_LABEL
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown
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
    for look in (_services, _rights, _quota, _zones):
        subject = look.__name__.strip("_")
        try:
            yield from look(plan, project, apis)
        except ApiError as error:
            yield unknown(subject, f"{error}")


def gpus_asked(plan: StackPlan) -> Mapping[tuple[str, bool], int]:
    """GPUs that the stack may ask for at the most, by accelerator and whether preemptible quota counts them.

    That is so of spot and of flex-start; machines of a reservation count as those on demand, which they are.
    """
    preemptible = set(_table()["preemptibleMarkets"])
    asked: dict[tuple[str, bool], int] = defaultdict(int)
    for pool in plan.node_pools:
        if pool.create:
            asked[pool.accelerator, pool.supply.provisioning in preemptible] += pool.size.max_nodes * pool.gpus
    replicas = [(each, each.scale.most_replicas) for each in plan.workloads]
    made = node_counts(plan.node_pools, plan.compute_classes, replicas).of_classes
    for each in plan.compute_classes:
        for position, priority in enumerate(each.priorities):
            if priority.shape is not None:
                count = made.get((each.name, position), 0)
                asked[priority.shape.accelerator, priority.market in preemptible] += count * priority.shape.gpus
    if plan.cluster.mode == "autopilot":
        for workload in (each for each in plan.workloads if each.placing.compute_class is None):
            accelerator = workload.placing.node_selector[ACCELERATOR_LABEL]
            asked[accelerator, False] += workload.scale.most_replicas * workload.layout.gpus
    return {key: count for key, count in asked.items() if count}


def _services(plan: StackPlan, project: str, apis: GoogleApis) -> Iterator[Finding]:
    table = _table()
    wanted = list(table["apis"])
    if plan.cluster.managed is None:
        picked = any(each.route is not None and each.route.picker is not None for each in plan.workloads)
        wanted += [*table["used"], *(table["usedByPickers"] if picked else ())]
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
    """What the login may do in the project, then on each bucket that the stack grants the reading of."""
    needed = dict(_needed(plan))
    if needed:
        body = {"permissions": list(needed)}
        held = set(apis.post("projects", f"projects/{project}:testIamPermissions", body).get("permissions", ()))
        lacking = sorted(set(needed) - held)
        if lacking:
            fix = f"grant {', '.join(sorted({needed[each] for each in lacking}))} on project {project}"
            yield bad("roles", f"the login lacks {', '.join(lacking)}", fix)
        else:
            yield ok("roles", "the login may make what the stack has")
    for bucket in granted_buckets(plan):
        yield _may_grant(bucket, apis)


def _needed(plan: StackPlan) -> Iterator[tuple[str, str]]:
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
    }
    for part, permissions in _table()["permissions"].items():
        if made[part]:
            yield from permissions.items()


def granted_buckets(plan: StackPlan) -> tuple[str, ...]:
    """Buckets that the stack binds a role on."""
    named = [bucket for each in plan.workloads for bucket in each.storage.readable]
    named += [bucket for each in plan.workloads for bucket, _ in each.identity.bucket_roles]
    return tuple(dict.fromkeys(named))


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


def _quota(plan: StackPlan, project: str, apis: GoogleApis) -> Iterator[Finding]:
    """The quotas of the region and of all regions against what the stack may ask for at the most."""
    asked, table = gpus_asked(plan), _table()
    if not asked or plan.cluster.region is None:
        return
    region = plan.cluster.region
    limits = _limits(apis.get("compute", f"projects/{project}/regions/{region}"))
    for (accelerator, preemptible), count in sorted(asked.items()):
        row: Mapping[str, str] = table["quotas"].get(accelerator, {})
        if not preemptible and "family" in row:
            yield _family(row["family"], count, accelerator, region, project, apis)
        else:
            metric = row.get("preemptible" if preemptible else "metric")
            yield _against(metric, limits, count, accelerator, region, project)
    everywhere = _limits(apis.get("compute", f"projects/{project}"))
    yield _against(table["allRegions"], everywhere, sum(asked.values()), "GPUs", "all regions", project)


def _family(family: str, count: int, what: str, region: str, project: str, apis: GoogleApis) -> Finding:
    """The quota of a card that Cloud Quotas alone knows, by its family."""
    quota = _table()["familyQuota"]
    path = f"projects/{project}/locations/global/services/compute.googleapis.com/quotaInfos/{quota}"
    try:
        rows = apis.get("quotas", path).get("dimensionsInfos", [])
    except ApiError as error:
        fix = f"gcloud services enable cloudquotas.googleapis.com --project {project}"
        return unknown(f"quota of {what} in {region}", f"Cloud Quotas tells of {family}: {error}", fix)
    return _against(family, family_limits(rows, region), count, what, region, project)


def family_limits(rows: Sequence[Mapping[str, Any]], region: str) -> Mapping[str, float]:
    """The limit of each GPU family in a region, from `dimensionsInfos`: one for the region itself counts first."""
    general: dict[str, float] = {}
    special: dict[str, float] = {}
    for row in rows:
        dimensions, value = row.get("dimensions", {}), row.get("details", {}).get("value")
        if value is None or "gpu_family" not in dimensions:
            continue
        limit = float("inf") if float(value) < 0 else float(value)
        if dimensions.get("region") == region:
            special[dimensions["gpu_family"]] = limit
        elif "region" not in dimensions and region in row.get("applicableLocations", (region,)):
            general[dimensions["gpu_family"]] = limit
    return {**general, **special}


def _against(
    metric: str | None, limits: Mapping[str, float], count: int, what: str, where: str, project: str
) -> Finding:
    subject = f"quota of {what} in {where}"
    if metric is None or metric not in limits:
        return unknown(subject, f"no quota named {metric or 'for it'} is shown; the stack may ask for {count}")
    limit = limits[metric]
    if limit >= count:
        return ok(subject, f"{metric} is {limit:g}, and the stack may ask for {count}")
    fix = f"ask for {count} at https://console.cloud.google.com/iam-admin/quotas?project={project}, or lower maxNodes"
    return bad(subject, f"{metric} is {limit:g}, and the stack may ask for {count}: pods stay Pending", fix)


def _limits(document: Mapping[str, Any]) -> Mapping[str, float]:
    return {str(row.get("metric")): float(row.get("limit", 0)) for row in document.get("quotas", ())}


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
