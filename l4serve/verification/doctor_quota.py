"""GPU quota of a project against what a stack may ask for, less what others use of it. Data: data/doctor.yaml."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.planning.stack.node_counts import node_counts
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.nodes.node_choice import ACCELERATOR_LABEL
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown
from l4serve.verification.google_apis import ApiError, GoogleApis


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


def gpus_held(plan: StackPlan, project: str, apis: GoogleApis) -> Mapping[tuple[str, bool], int]:
    """GPUs that the stack's nodes have already, as `gpus_asked` counts them; none before its first update.

    Nodes carry their cluster and pool as labels. Of a cluster that the stack found, those of its own pools count, and
    with a compute class those that GKE makes by itself.
    """
    cluster, labels = plan.cluster, _table()["nodeLabels"]
    if cluster.name is None:
        return {}
    pools = {pool.resource_name for pool in plan.node_pools if pool.create}
    made = labels["madeByGke"] if plan.compute_classes else None
    held: dict[tuple[str, bool], int] = defaultdict(int)
    for node in _instances(project, f'labels.{labels["cluster"]}="{cluster.name}"', apis):
        carried = node.get("labels", {})
        pool = str(carried.get(labels["pool"], ""))
        own = cluster.managed is not None or pool in pools or (made is not None and pool.startswith(made))
        if not own or carried.get(labels["location"], cluster.location) != cluster.location:
            continue
        for card in node.get("guestAccelerators", ()):
            accelerator = str(card.get("acceleratorType", "")).rpartition("/")[2]
            held[accelerator, _preemptible(node.get("scheduling", {}))] += int(card.get("acceleratorCount", 0))
    return held


def _preemptible(scheduling: Mapping[str, Any]) -> bool:
    market = str(scheduling.get("provisioningModel", "")).lower().replace("_", "-")
    return bool(scheduling.get("preemptible")) or market in _table()["preemptibleMarkets"]


def _instances(project: str, matching: str, apis: GoogleApis) -> Iterator[Mapping[str, Any]]:
    """Machines of a project that a filter matches, page by page."""
    page: dict[str, str] = {}
    while True:
        found = apis.get("compute", f"projects/{project}/aggregated/instances", filter=matching, **page)
        for zone in found.get("items", {}).values():
            yield from zone.get("instances", ())
        if not found.get("nextPageToken"):
            return
        page = {"pageToken": str(found["nextPageToken"])}


def quota_findings(plan: StackPlan, project: str, apis: GoogleApis) -> Iterator[Finding]:
    """The quotas of the region and of all regions, less what others use, against the most that the stack may ask for.

    Raises ApiError where Google does not tell.
    """
    asked, table = gpus_asked(plan), _table()
    if not asked or plan.cluster.region is None:
        return
    region = plan.cluster.region
    held = gpus_held(plan, project, apis)
    limits = _limits(apis.get("compute", f"projects/{project}/regions/{region}"))
    for (accelerator, preemptible), count in sorted(asked.items()):
        own = held.get((accelerator, preemptible), 0)
        row: Mapping[str, str] = table["quotas"].get(accelerator, {})
        if not preemptible and "family" in row:
            yield _family(row["family"], count, accelerator, region, project, apis)
        else:
            metric = row.get("preemptible" if preemptible else "metric")
            yield _against(metric, limits, count, accelerator, region, project, own)
    everywhere = _limits(apis.get("compute", f"projects/{project}"))
    most, own = sum(asked.values()), sum(held.values())
    yield _against(table["allRegions"], everywhere, most, "GPUs", "all regions", project, own)


def _family(family: str, count: int, what: str, region: str, project: str, apis: GoogleApis) -> Finding:
    """The quota of a card that Cloud Quotas alone knows, by its family."""
    quota = _table()["familyQuota"]
    path = f"projects/{project}/locations/global/services/compute.googleapis.com/quotaInfos/{quota}"
    try:
        rows = apis.get("quotas", path).get("dimensionsInfos", [])
    except ApiError as error:
        fix = f"gcloud services enable cloudquotas.googleapis.com --project {project}"
        return unknown(f"quota of {what} in {region}", f"Cloud Quotas tells of {family}: {error}", fix)
    limits = {name: _Limit(limit, None) for name, limit in family_limits(rows, region).items()}
    return _against(family, limits, count, what, region, project)


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


@frozen()
class _Limit:
    """A quota, and what is used of it; None where Google does not tell."""

    limit: float
    usage: float | None


def _against(
    metric: str | None, limits: Mapping[str, _Limit], count: int, what: str, where: str, project: str, own: int = 0
) -> Finding:
    """A quota against the most that a stack may ask for, which `own` GPUs that it has already count towards."""
    subject = f"quota of {what} in {where}"
    if metric is None or metric not in limits:
        return unknown(subject, f"no quota named {metric or 'for it'} is shown; the stack may ask for {count}")
    quota = limits[metric]
    others = max(0.0, (quota.usage or 0) - own)
    used = f", of which others use {others:g}," if others else ","
    told = f"{metric} is {quota.limit:g}{used} and the stack may ask for {count}"
    if quota.limit - others >= count:
        return ok(subject, told if quota.usage is not None else f"{told}; what others use is not told")
    most = f"{count + others:g}"
    fix = f"ask for {most} at https://console.cloud.google.com/iam-admin/quotas?project={project}, or lower maxNodes"
    return bad(subject, f"{told}: pods stay Pending", fix)


def _limits(document: Mapping[str, Any]) -> Mapping[str, _Limit]:
    rows = document.get("quotas", ())
    return {str(row.get("metric")): _Limit(float(row.get("limit", 0)), float(row.get("usage", 0))) for row in rows}


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "doctor.yaml")
    return table
