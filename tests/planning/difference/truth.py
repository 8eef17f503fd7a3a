"""Holds a difference against the rendering of both sides: a line for each change, and a change for each line."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from l4serve.cli.commands.render_command import Rendered, render_stack
from l4serve.planning.difference.stack_diff import Part, StackDiff
from l4serve.planning.stack.bucket_grants import bucket_grants
from l4serve.planning.stack.edits import Effect, field_effect
from l4serve.planning.stack.stack_plan import StackPlan
from tests import factories
from tests.planning.stack.test_edits import IGNORED, RESOURCES, _differences

PartName = tuple[str, str]
INSTANCE = "app.kubernetes.io/instance"
ONE_OF_A_KIND = ("cluster", "namespace", "token", "gateway", "dashboard")
POD_ROLES = ("gcp:serviceaccount/iAMMember:IAMMember",)


def rendered(serving: Mapping[str, Any]) -> Rendered:
    """What the program registers for a serving object."""
    return render_stack(factories.loaded(serving, name="made"))


def assert_true(diff: StackDiff, before: Rendered, after: Rendered) -> None:
    """Fails where a changed resource has no part that says so, or a part says what no resource shows."""
    effects = part_effects(diff, before, after)
    parts = {(part.kind, "" if part.kind in ONE_OF_A_KIND else part.name): part for part in diff.parts}
    for name, found in effects.items():
        part = parts.get(name)
        assert part is not None and part.change != "same", f"{name} changes ({found}) and no line says so"
        if part.lands is not None and not _inherits(diff, part) and not _shrinks(part):
            # Another Secret restarts the pods that name it, which no input of the Secret shows.
            beside = {Effect.POD_RESTART} if part.kind == "token" else set()
            assert part.lands in {max(found.values()), *beside}, (name, part.lands, found)
    for name, part in parts.items():
        shown = set(effects.get(name, {}).values())
        if part.lands is not None and part.lands > Effect.NOTHING and not _inherits(diff, part):
            assert shown or _looked_up(diff, part), f"{name} is said to land {part.lands.text} and no resource changes"
        if part.change in ("added", "removed"):
            assert shown or not _deployed(diff, part), f"{name} is {part.change} and no resource shows it"
        for line in part.lines:
            milder = (
                _shrinks(part)
                or _looked_up(diff, part)
                or part.kind == "token"
                or line.lands <= max(shown, default=Effect.NOTHING)
            )
            assert milder or part.lands is Effect.NOTHING, (name, line, effects.get(name))


def _inherits(diff: StackDiff, part: Part) -> bool:
    """Whether a part lands as the cluster beneath it does, which no input of its own shows."""
    cluster = next((each for each in diff.others if each.kind == "cluster"), None)
    beneath = cluster.lands if cluster and cluster.lands else Effect.NOTHING
    return part.kind != "cluster" and beneath in (Effect.CLUSTER_REPLACED, Effect.WORKLOAD_REPLACED)


def _looked_up(diff: StackDiff, part: Part) -> bool:
    """Whether a part is a cluster that the stack only reaches: another one shows in the provider alone."""
    return part.kind == "cluster" and diff.after is not None and diff.after.cluster.managed is None


def _shrinks(part: Part) -> bool:
    """Whether a range no longer holds the old one, which replaces by Google Cloud's rule and by no force-new field."""
    return any(line.path.endswith(".nodes_cidr") and line.lands is Effect.CLUSTER_REPLACED for line in part.lines)


def _deployed(diff: StackDiff, part: Part) -> bool:
    plan = diff.after or diff.before
    assert plan is not None
    return part.kind != "pool" or all(pool.create for pool in plan.node_pools)


def part_effects(diff: StackDiff, before: Rendered, after: Rendered) -> dict[PartName, dict[str, Effect]]:
    """By part, the provider fields that differ and the effect of each."""
    assert diff.before is not None and diff.after is not None
    names = _names(diff)
    old, new = _by_part(before, diff.before, names), _by_part(after, diff.after, {})
    effects: dict[PartName, dict[str, Effect]] = defaultdict(dict)
    for part in {**old, **new}:
        for field in _fields(old.get(part, {}), new.get(part, {})):
            effects[part][field] = field_effect(field)
    return dict(effects)


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for kind in {**old, **new}:
        plain = kind.partition("/")[0]
        if kind not in old or kind not in new:
            yield f"{plain}.added or removed"
            continue
        for field in _differences(old[kind], new[kind]):
            if field.split(".")[0] not in IGNORED.get(plain, ()):
                yield f"{plain}.{field}"


def _names(diff: StackDiff) -> dict[str, str]:
    """Names that workloads have on the new side, by their object names on the old one."""
    assert diff.before is not None and diff.after is not None
    new = {workload.object_name: workload.name for workload in diff.after.workloads}
    names = {}
    for workload in diff.before.workloads:
        names[workload.object_name] = new.get(workload.object_name) or workload.name
    return names


def _by_part(side: Rendered, plan: StackPlan, names: Mapping[str, str]) -> dict[PartName, dict[str, Any]]:
    """The resources of one side by the part that they belong to, and within it by kind."""
    own = {workload.object_name: names.get(workload.object_name, workload.name) for workload in plan.workloads}
    parts: dict[PartName, dict[str, Any]] = defaultdict(dict)
    for manifest in side.objects:
        part = _part_of_object(manifest, own, plan)
        kind = RESOURCES.get(manifest["kind"], manifest["kind"])
        # A workload has a second Deployment where some of its pods never run on spot nodes, and a picker's objects.
        name = manifest["metadata"]["name"]
        second = name.endswith("-picker") or (manifest["kind"] == "Deployment" and name not in own)
        parts[part][f"{kind}/{name}" if second else kind] = manifest
    for resource in side.cloud:
        kind = RESOURCES.get(resource["type"], resource["type"])
        for part in _parts_of_cloud(resource, own, plan):
            # Another pool of GKE in place of one is the same pool of the config.
            name = part[1] if part[0] == "pool" else resource["name"]
            parts[part][f"{kind}/{name}"] = resource["inputs"]
    return parts


def _part_of_object(manifest: Mapping[str, Any], own: Mapping[str, str], plan: StackPlan) -> PartName:
    kind, labels = manifest["kind"], manifest["metadata"].get("labels", {})
    if kind == "Namespace":
        return ("namespace", "")
    if kind == "Gateway":
        return ("gateway", "")
    if kind == "ComputeClass":
        return ("class", manifest["metadata"]["name"])
    if INSTANCE not in labels:
        return ("token", "")
    return ("workload", own[labels[INSTANCE]])


def _parts_of_cloud(resource: Mapping[str, Any], own: Mapping[str, str], plan: StackPlan) -> list[PartName]:
    """One part, or every workload whose pods need a role on a bucket."""
    if resource["type"].endswith(":BucketIAMMember"):
        (grant,) = [
            each
            for each in bucket_grants(plan.workloads)
            if resource["name"] == f"{each.bucket}/{each.role.rpartition('/')[2]}/{each.account}"
        ]
        return [("workload", own[workload.object_name]) for workload in grant.workloads]
    return [_part_of_cloud(resource, own, plan)]


def _part_of_cloud(resource: Mapping[str, Any], own: Mapping[str, str], plan: StackPlan) -> PartName:
    pools = {each.program_name: each.name for each in plan.node_pools}
    name = resource["name"].rpartition("/")[2]
    if name in pools:
        return ("pool", pools[name])
    if name.startswith("gateway-"):
        return ("gateway", "")
    if resource["type"].endswith(":Dashboard"):
        return ("dashboard", "")
    if "secretmanager" in resource["type"]:
        owner = resource["name"].split("/")[1]
        key = owner.endswith("-api-key")
        return ("workload", own[owner.removesuffix("-api-key")]) if key else ("token", "")
    for beside in ("-weights-", "-alerts-"):
        owner, found, _ = name.partition(beside)
        if found and owner in own:
            return ("workload", own[owner])
    if resource["type"] in POD_ROLES:
        owner = max((each for each in own if name.startswith(f"{each}-")), key=len)
        return ("workload", own[owner])
    return ("cluster", "")
