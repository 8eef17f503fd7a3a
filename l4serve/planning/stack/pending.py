"""What heals a stack whose update was killed in the middle of a change: operations that nobody saw the end of."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.refusals.problems import Problem

ADOPTING = "pulumi stack export | l4serve doctor --adopt | pulumi stack import && pulumi refresh"
HEALING = f"{ADOPTING} && pulumi up"
"""What heals it. `pulumi refresh --import-pending-creates` forgets the creates instead: pulumi 3.215 turns them into
operations that its engine then drops."""
READING = "pulumi refresh && pulumi up"
"""What heals it where nothing was being made: the state holds what was there before the killed update."""
REAPPLYING = "pulumi refresh && pulumi stack export | l4serve doctor --reapply | pulumi stack import && pulumi up"
"""What takes back, or makes good, what a killed update changed where nothing is pending any more."""
_CREATING = "creating"
_UPDATING = "updating"
_CHANGING = (_UPDATING, "deleting")
_KUBERNETES = "kubernetes:"
_APPLIED_AGAIN = "applied again by the next update: one that was killed may have changed it"
"""Where a resource has an error, the engine updates it although nothing of what is asked for changed."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@frozen()
class PendingCreate:
    """One create that was begun and whose outcome is in no state."""

    urn: str
    import_id: str | None
    """Id by which the provider finds what was made; None where it has to be made again."""
    twins: str | None = None
    """Command that lists what was made beside what is made again; None where the one takes the other's place."""
    left: str | None = None
    """Command that ends what was made, where an update that does not want it leaves it."""
    ends: str | None = None
    """What ends, or names, what a destroy has left since: with its provider gone, no state can have it."""


class StateError(ValueError):
    """Text that is no exported state of a stack."""


def pending_creates(state: Any) -> tuple[PendingCreate, ...]:
    """The pending creates of a state as `pulumi stack export` writes it; raises StateError for anything else."""
    creating = [each["resource"] for each in _operations(state) if each.get("type") == _CREATING]
    held = {each["urn"] for each in state["deployment"].get("resources") or ()}
    return tuple(_pending(each, destroyed=_provider(each) not in held | {None}) for each in creating)


def pending_changes(state: Any) -> tuple[str, ...]:
    """URNs of what was being updated or deleted; raises StateError as `pending_creates` does."""
    return tuple(each["resource"]["urn"] for each in _operations(state) if each.get("type") in _CHANGING)


def wants_adopting(state: Any) -> bool:
    """Whether `adopted` would change the state; raises StateError as `pending_creates` does."""
    return bool(pending_creates(state) or _asked_anew(state))


def adopted(state: Any) -> dict[str, Any]:
    """The state with what was being made among its resources, under its id: `pulumi refresh` reads how it came out.

    A create without an id is forgotten, as the next update repeats it. A Kubernetes object that was being updated is
    said to have been asked for as the killed update did: of what nobody has asked for a refresh reads nothing, and
    what that update added would be taken back by none. Raises StateError as `pending_creates` does.
    """
    ids = {each.urn: each.import_id for each in pending_creates(state)}
    deployment, made, others = state["deployment"], {}, []
    for each in _operations(state):
        urn = each["resource"]["urn"]
        if each.get("type") != _CREATING:
            others.append(each)
        elif ids[urn]:
            made[urn] = {**each["resource"], "id": ids[urn], **_known_of(each["resource"])}
    asked = _asked_anew(state)
    held = (_asking(each, asked) for each in deployment.get("resources") or ())
    resources = [*_with_made(held, made), *made.values()]
    return {**state, "deployment": {**deployment, "resources": resources, "pending_operations": others}}


def reapplied(state: Any) -> dict[str, Any]:
    """The state after which the next update applies every Kubernetes object again, whole.

    What this program has applied before and asks for no more goes with that, whether a state knows of it or not. Raises
    StateError as `pending_creates` does.
    """
    _operations(state)
    deployment = state["deployment"]
    resources = [_again(each) for each in deployment.get("resources") or ()]
    return {**state, "deployment": {**deployment, "resources": resources}}


def _again(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    again = _is_ours(resource) and not resource.get("delete")
    return {**resource, "initErrors": [_APPLIED_AGAIN]} if again else resource


def _asked_anew(state: Any) -> Mapping[str, Any]:
    """Inputs of the Kubernetes objects whose update was cut off, by their URNs."""
    updating = (each["resource"] for each in _operations(state) if each.get("type") == _UPDATING)
    return {each["urn"]: each["inputs"] for each in updating if _is_ours(each) and each.get("inputs")}


def _asking(resource: Mapping[str, Any], asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The resource of a state with the inputs of its update that was cut off, if it is not one that was replaced."""
    if resource.get("delete") or resource["urn"] not in asked:
        return resource
    return {**resource, "inputs": asked[resource["urn"]]}


def _is_ours(resource: Mapping[str, Any]) -> bool:
    return str(resource.get("type")).startswith(_KUBERNETES)


def _known_of(resource: Mapping[str, Any]) -> dict[str, Any]:
    """What a refresh begins with, and what program and provider read where none ran: what was asked for.

    Without outputs Google's provider imports, and every cluster is then one to be kept; that of Kubernetes takes all
    for changed. The next update applies an object again that nobody saw the end of, and awaits it; the last steps of a
    create, which no read tells, it takes as well.
    """
    asked = resource.get("inputs") or {}
    if not _is_ours(resource):
        last = load_data(__file__, "import_ids.yaml")["last"].get(resource["type"], ())
        return {"outputs": {name: value for name, value in asked.items() if name not in last}}
    return {"outputs": {**asked, "__inputs": asked}, "initErrors": [_APPLIED_AGAIN]}


def cut_off_problem(deployments: Iterable[str]) -> Problem:
    """What is said of Deployments, by namespace and name, that a killed update made and that nobody wants now."""
    names = sorted(deployments)
    ends = "; ".join(f"kubectl -n {space} delete deployment {name}" for space, name in (n.split("/") for n in names))
    return Problem(
        "workloads",
        f"a killed update made {', '.join(names)}: no state has it, so no update would end it, and it holds its GPUs",
        f"pulumi cancel; {ADOPTING}, then this command again; where `l4serve doctor` finds nothing pending, {ends}",
    )


def _with_made(resources: Iterable[Mapping[str, Any]], made: dict[str, dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The resources, each that was being replaced after its replacement, which is taken out of `made`."""
    for each in resources:
        replacement = None if each.get("delete") else made.pop(each["urn"], None)
        if replacement is None:
            yield each
            continue
        yield replacement
        if not each.get("pendingReplacement"):  # that one is deleted already
            yield {**each, "delete": True}


def _operations(state: Any) -> tuple[Mapping[str, Any], ...]:
    deployment = state.get("deployment") if isinstance(state, Mapping) else None
    if not isinstance(deployment, Mapping):
        raise StateError("this is not an exported state")
    operations = deployment.get("pending_operations") or ()
    if not isinstance(operations, list | tuple) or not all(map(_is_operation, operations)):
        raise StateError("its pending operations are not what pulumi stack export writes")
    resources = deployment.get("resources") or ()
    if not isinstance(resources, list | tuple) or not all(map(_is_resource, resources)):
        raise StateError("its resources are not what pulumi stack export writes")
    return tuple(operations)


def _is_operation(value: Any) -> bool:
    resource = value.get("resource") if isinstance(value, Mapping) else None
    return (
        isinstance(resource, Mapping)
        and _is_resource(resource)
        and isinstance(resource.get("type"), str)
        and isinstance(resource.get("inputs") or {}, Mapping)
    )


def _is_resource(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("urn"), str)


def _provider(resource: Mapping[str, Any]) -> str | None:
    """URN of its provider, which is referred to by that and an id."""
    provider = resource.get("provider")
    return provider.rpartition("::")[0] if isinstance(provider, str) else None


def _pending(resource: Mapping[str, Any], *, destroyed: bool) -> PendingCreate:
    kind, values = resource["type"], resource.get("inputs") or {}
    ours = _is_ours(resource)
    if ours:
        metadata = values.get("metadata")
        values = metadata if isinstance(metadata, Mapping) else {}
    known = load_data(__file__, "import_ids.yaml")
    import_id, twins, left, ends = (_filled(known[each].get(kind), values) for each in ("ids", "twins", "left", "ends"))
    if ours and not left:
        import_id = _filled("{namespace}/{name}" if values.get("namespace") else "{name}", values)
    if destroyed:
        return PendingCreate(resource["urn"], None, ends=ends or import_id)
    return PendingCreate(resource["urn"], import_id, twins, left)


def _filled(template: str | None, inputs: Mapping[str, Any]) -> str | None:
    if template is None or not set(_PLACEHOLDER.findall(template)) <= inputs.keys():
        return None
    return template.format_map(inputs)
