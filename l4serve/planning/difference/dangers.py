"""What a reviewer must not overlook in a difference, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from l4serve.planning.difference.changed_identity import changed_identities
from l4serve.planning.difference.kept_in_use import kept_in_use
from l4serve.planning.difference.lost_roles import lost_roles
from l4serve.planning.difference.renames import renames
from l4serve.planning.difference.rows import Line
from l4serve.planning.difference.stack_diff import Danger, Part, WorkloadPart
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.stack.addons import addon_problems, needed_addons
from l4serve.planning.stack.edits import Effect
from l4serve.planning.stack.exchange import exchange_problems, pods_json, read_pods
from l4serve.planning.stack.planned_pods import autoscaled_by
from l4serve.planning.stack.scattered import scatter_problems
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.surges import surge_problems
from l4serve.planning.workload.reach.network_guard import admitted_anew
from l4serve.planning.workload.workload_plan import WorkloadPlan

_OUTSIDE = ("LoadBalancer", "NodePort")


def dangers(
    before: StackPlan,
    after: StackPlan,
    pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]],
    workloads: Sequence[WorkloadPart],
    pools: Sequence[Part],
    others: Sequence[Part],
) -> Iterator[Danger]:
    """The dangers of an update from one plan to the next, in a stable order."""
    yield from _cluster_replaced(others, before, after)
    yield from _pools_replaced(pools, before, after)
    yield from _workloads_replaced(workloads)
    yield from _stuck(before, after, workloads)
    yield from _needed_to_the_end(before, after)
    yield from kept_in_use(before.gateway, after.gateway)
    yield from renames(pairs)
    yield from _exposed(pairs)
    yield from _opened(before.cluster, after.cluster)
    yield from _unprotected(before, after)
    yield from _opened_pods(before, pairs)
    yield from _keyless(pairs)
    yield from _plain(pairs)
    yield from changed_identities(before, after, pairs, workloads)
    yield from lost_roles(before, after, pairs)
    yield from _rules(pairs)
    yield from _uncertain(pairs)


def dangers_of_new(
    after: StackPlan, pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]]
) -> Iterator[Danger]:
    """What is dangerous in a stack that nothing is compared with: all of it is new."""
    yield from _exposed(pairs)
    yield from _opened(None, after.cluster)
    yield from _rules(pairs)
    yield from _uncertain(pairs)


def danger_of_gone(name: str) -> Danger:
    """What it means that a stack's file goes: Pulumi deletes nothing, and nobody updates what runs."""
    told = (
        f"no update or preview reaches stack {name} any more: what it deployed runs on and costs on until "
        f"`pulumi destroy -s {name}`, and the key to its secrets goes with the file"
    )
    return Danger("stack removed", f"Pulumi.{name}.yaml", told)


def _cluster_replaced(others: Sequence[Part], before: StackPlan, after: StackPlan) -> Iterator[Danger]:
    for part in others:
        if part.kind == "cluster" and part.lands is Effect.CLUSTER_REPLACED:
            held = _held("cluster", before, after, goes=after.cluster.managed is None)
            told = f"the cluster is replaced, and all that runs in it with it: {_said(part.lines, part.lands)}{held}"
            yield Danger("cluster replaced", "cluster", told)
        elif part.kind == "cluster" and part.lands is Effect.WORKLOAD_REPLACED:
            told = f"another cluster: every object is made there and deleted here: {_said(part.lines, part.lands)}"
            yield Danger("cluster replaced", "cluster", told)


def _pools_replaced(pools: Sequence[Part], before: StackPlan, after: StackPlan) -> Iterator[Danger]:
    for part in pools:
        path = f"nodePools.{part.name}"
        if part.change == "removed":
            held = _held(part.name, before, after, goes=True)
            yield Danger("pool removed", path, f"pool {part.name} is deleted, and its nodes are drained{held}")
        elif part.lands is Effect.POOL_REPLACED:
            why, held = _said(part.lines, part.lands), _held(part.name, before, after, goes=False)
            told = f"pool {part.name} is replaced, so its pods move to new nodes: {why}{held}"
            yield Danger("pool replaced", path, told)


def _protected(plan: StackPlan) -> frozenset[str]:
    """The protected parts of a plan by the names that `allowReplace` has for them."""
    pools = (pool.name for pool in plan.node_pools if pool.protect)
    return frozenset([*pools, *(["cluster"] if plan.cluster.protect else [])])


def _held(name: str, before: StackPlan, after: StackPlan, *, goes: bool) -> str:
    """What stops a replacement: the engine, where both sides protect the part; where it goes, where the old one did.

    Google's provider looks at the deletion protection that an earlier update left.
    """
    told = ""
    if name in _protected(before):
        if goes:
            told = f"; Pulumi stops there unless an update before this one has allowReplace: [{name}]"
        elif name in _protected(after):
            told = f"; Pulumi stops there, for it is protected: allowReplace: [{name}] lifts that for one update"
        else:
            told = "; it was protected, and this edit lifts that"
    managed = before.cluster.managed
    if name == "cluster" and managed and managed.deletion_protection:
        told += "; the provider deletes it only after an update with cluster.deletionProtection: false"
    return told


def _workloads_replaced(workloads: Sequence[WorkloadPart]) -> Iterator[Danger]:
    for workload in workloads:
        path = f"workloads.{workload.name}"
        if workload.lands is Effect.WORKLOAD_REPLACED:
            told = f"{workload.name} is replaced: {workload.interruption.why}"
            yield Danger("workload replaced", path, told)
        elif workload.change == "removed":
            yield Danger("workload removed", path, f"{workload.name} is deleted, and nothing answers at its address")


def _stuck(before: StackPlan, after: StackPlan, workloads: Sequence[WorkloadPart]) -> Iterator[Danger]:
    beside = (read_pods(pods_json(before)), after, (), autoscaled_by(before))
    restarted = {f"workloads.{each.name}" for each in workloads if each.lands is Effect.POD_RESTART}
    surging = {each.path: each for each in surge_problems(*beside).values() if each.path in restarted}
    for problem in (*exchange_problems(*beside), *scatter_problems(*beside[:2]), *surging.values()):
        yield Danger("full pool", problem.path, f"{problem.message}; {problem.remedy}")


def _needed_to_the_end(before: StackPlan, after: StackPlan) -> Iterator[Danger]:
    """What the cluster loses while what needs it is deleted; one that is replaced goes with all its objects."""
    old, new = before.cluster, after.cluster
    if (old.identifier, old.mode) == (new.identifier, new.mode):
        for problem in addon_problems(needed_addons(before), after):
            yield Danger("add-on in use", problem.path, f"{problem.message}; {problem.remedy}")


def _opened(before: ClusterPlan | None, after: ClusterPlan) -> Iterator[Danger]:
    if after.managed is None:
        return
    new = after.managed.control_plane
    old = before.managed.control_plane if before and before.managed else None
    if new.ip == "public" and (old is None or old.ip != "public"):
        yield Danger("public endpoint", "cluster.controlPlane.ipEndpoint", "the control plane gets a public address")
    known = {cidr for cidr, _ in old.authorized_networks} if old else set()
    if added := [cidr for cidr, _ in new.authorized_networks if cidr not in known]:
        told = f"the control plane's address admits {', '.join(added)}"
        yield Danger("public endpoint", "cluster.authorizedNetworks", told)
    if old is not None and new.dns and not old.dns:
        yield Danger("public endpoint", "cluster.controlPlane.dnsEndpoint", "the control plane gets a DNS endpoint")
    if after.private_nodes is False and (before is None or before.private_nodes):
        yield Danger("public endpoint", "cluster.privateNodes", "nodes get public addresses")


def _exposed(pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]]) -> Iterator[Danger]:
    """Workloads that the internet reaches from now on, or without a key from now on."""
    for old, new in pairs:
        if new is None or new.route is None or not new.route.public:
            continue
        path, door = f"workloads.{new.name}", _open_door(new)
        was_public = old is not None and old.route is not None and old.route.public
        if door and not (was_public and old is not None and _open_door(old)):
            told = f"everybody on the internet may use {new.name}: it asks clients for no key {door}"
            yield Danger(
                "public without a key", f"{path}.expose.paths" if new.engine.api_key else f"{path}.apiKey", told
            )
        if not was_public:
            yield Danger("public endpoint", f"{path}.expose", f"{new.name} answers the internet at {new.route.url}")


def _open_door(workload: WorkloadPlan) -> str | None:
    """By which of its public paths the model is used without a key, in words; None where by none."""
    if not workload.engine.api_key:
        return "at all"
    past_key = workload.route.past_key if workload.route else ()
    return f"on {', '.join(past_key)}" if past_key else None


def _unprotected(before: StackPlan, after: StackPlan) -> Iterator[Danger]:
    lifted = _protected(before) - _protected(after)
    if "cluster" in lifted:
        yield Danger("protection lifted", "cluster.protect", "Pulumi may delete or replace the cluster")
    old, new = before.cluster.managed, after.cluster.managed
    if old and new and old.deletion_protection and not new.deletion_protection:
        yield Danger("protection lifted", "cluster.deletionProtection", "Google Cloud lets the cluster be deleted")
    for pool in after.node_pools:
        if pool.name in lifted:
            told = f"Pulumi may delete or replace pool {pool.name}"
            yield Danger("protection lifted", f"nodePools.{pool.name}.protect", told)


def _opened_pods(
    before: StackPlan, pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]]
) -> Iterator[Danger]:
    """Pods that lose what closed them on their node or on the network."""
    for old, new in pairs:
        if old is None or new is None:
            continue
        path = f"workloads.{new.name}"
        if old.guard.restricted and not new.guard.restricted:
            told = f'the pods of {new.name} leave Pod Security "restricted"'
            if before.pod_security == "restricted":
                told += ', and the namespace enforces "baseline" from now on'
            yield Danger("protection lifted", f"{path}.podSecurity", told)
        if old.network is not None and new.network is None:
            told = f"no NetworkPolicy closes the pods of {new.name}: every pod of the cluster reaches them"
            yield Danger("protection lifted", "networkPolicy.enabled", told)
        elif old.network is not None and new.network is not None and (who := admitted_anew(old.network, new.network)):
            at = "networkPolicy.from" if old.service.type == new.service.type else f"{path}.service.type"
            yield Danger("protection lifted", at, f"{', '.join(who)} may connect to {new.name}")


def _keyless(pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]]) -> Iterator[Danger]:
    for old, new in pairs:
        if old is not None and new is not None and old.engine.api_key and not new.engine.api_key:
            yield Danger("protection lifted", f"workloads.{new.name}.apiKey", f"{new.name} asks clients for no key")


def _plain(pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]]) -> Iterator[Danger]:
    """What crosses the network in plain text from now on: the gateway goes, or it or the pods lose a certificate."""
    for old, new in pairs:
        if old is None or new is None:
            continue
        told = f"what {new.name} is asked and answers, keys among it, crosses the network in plain text"
        if old.route and new.route and old.route.encrypted and not new.route.encrypted:
            yield Danger("protection lifted", "expose.certificate", told)
        if old.service.tls is not None and new.service.tls is None:
            yield Danger("protection lifted", f"workloads.{new.name}.service.tls", told)
        elif old.route and old.route.encrypted and not (new.route or new.service.tls) and new.service.type in _OUTSIDE:
            yield Danger("protection lifted", f"workloads.{new.name}.service.type", told)


def _rules(pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]]) -> Iterator[Danger]:
    for old, new in pairs:
        if new is None:
            continue
        known = set(old.metadata.annotations) if old else set()
        for annotation, reason in new.metadata.annotations.items():
            if annotation.startswith("allow.") and annotation not in known:
                rule = annotation.partition("/")[2]
                path = f"workloads.{new.name}.allow"
                yield Danger("rule allowed", path, f"{new.name} runs against rule {rule}: {reason}")


def _uncertain(pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]]) -> Iterator[Danger]:
    for old, new in pairs:
        fit = new.judgement.fit if new else None
        if new is None or fit is None:
            continue
        was = old.judgement.fit if old else None
        path = f"workloads.{new.name}"
        if not fit.fits and (was is None or was.fits):
            yield Danger("does not fit", path, f"{new.name} does not fit its GPU: {'; '.join(fit.reasons)}")
        elif fit.fits and fit.margin_is_uncertain and not (was and was.margin_is_uncertain):
            told = f"{new.name} fits only within the uncertainty of {fit.uncertainty_gib:.2f} GiB"
            yield Danger("uncertain", path, told)


def _said(lines: Sequence[Line], lands: Effect | None) -> str:
    """What is behind an effect; a name that is made of the rest is left out."""
    told = [line.says for line in lines if line.lands is lands]
    return ", ".join(says for says in dict.fromkeys(told) if says != "name in GKE" or len(told) == 1)
