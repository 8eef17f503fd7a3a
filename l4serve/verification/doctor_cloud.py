"""What Google Cloud says of a stack: its project, APIs, rights, GPU quota, and zones that sell its machines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown
from l4serve.verification.doctor_quota import quota_findings
from l4serve.verification.doctor_rights import needed_rights, rights_findings, secret_projects
from l4serve.verification.google_apis import ApiError, GoogleApis


def cloud_findings(plan: StackPlan, project: str, apis: GoogleApis) -> Iterator[Finding]:
    """Findings about a project, in the order in which each depends on those before it."""
    found, names = project_finding(project, apis, "pulumi config set gcp:project PROJECT")
    yield found
    if not names:
        return
    looks: dict[str, Callable[[StackPlan, str, GoogleApis], Iterator[Finding]]] = {
        "services": partial(_services, names=names),
        "rights": partial(rights_findings, names=names),
        "quota": quota_findings,
        "zones": _zones,
    }
    for subject, look in looks.items():
        try:
            yield from look(plan, project, apis)
        except ApiError as error:
            yield unknown(subject, f"{error}")


def project_finding(project: str, apis: GoogleApis, another: str) -> tuple[Finding, frozenset[str]]:
    """Whether a project is there and active, and its names; none of those where nothing more can be asked of it.

    `another` is the command that names another one.
    """
    try:
        said = apis.get("projects", f"projects/{project}")
    except ApiError as error:
        return bad("project", f"{project}: {error}", f"{another}, or ask for access to it"), frozenset()
    state = said.get("lifecycleState")
    if state != "ACTIVE":
        fix = f"gcloud projects undelete {project}, or name another: {another}"
        return bad("project", f"{project} is {state}", fix), frozenset()
    names = frozenset({project, *(str(said[key]) for key in ("projectId", "projectNumber") if key in said)})
    return ok("project", f"{project} is active"), names


def no_project(plan: StackPlan) -> Finding:
    """What to say of a stack that names no project: one that only reaches a cluster by its kubeconfig needs none."""
    cluster = plan.cluster
    asks = cluster.managed is not None or cluster.looked_up or needed_rights(plan)
    if asks:
        return bad("project", "the stack names none", "pulumi config set gcp:project PROJECT")
    return ok("project", "none is needed: a kubeconfig names the cluster, and nothing is made in Google Cloud")


def _services(plan: StackPlan, project: str, apis: GoogleApis, *, names: Collection[str]) -> Iterator[Finding]:
    table = _table()
    wanted = list(table["apis"])
    managed = plan.cluster.managed
    if managed is None:
        picked = any(each.route is not None and each.route.picker is not None for each in plan.workloads)
        wanted += [*table["used"], *(table["usedByPickers"] if picked else ())]
        wanted += table["usedBySecrets"] if secret_projects(plan) & {*names, "-"} else ()
    elif not managed.apis:
        # The stack turns none on, so those that its parts use must be on before.
        wanted += [name for name in managed.used_apis if name not in wanted]
    yield services_finding(wanted, project, apis)


def first_apis() -> tuple[str, ...]:
    """APIs without which no update begins, whatever the stack is."""
    return tuple(_table()["apis"])


def services_finding(wanted: Collection[str], project: str, apis: GoogleApis) -> Finding:
    """Whether APIs are on in a project. Raises ApiError."""
    asked = [f"projects/{project}/services/{name}" for name in wanted]
    found = apis.get("services", f"projects/{project}/services:batchGet", names=asked).get("services", [])
    on = {str(each.get("name", "")).rpartition("/")[2] for each in found if each.get("state") == "ENABLED"}
    missing = [name for name in wanted if name not in on]
    if missing:
        return bad(
            "APIs", f"off: {', '.join(missing)}", f"gcloud services enable {' '.join(missing)} --project {project}"
        )
    return ok("APIs", "those that the first update needs are on")


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
