"""What an update that was killed changed on the cluster, and no state says: another update has run since, or a refresh.

Pulumi drops what was pending with the next update, and compares a config with what was last asked for. A refresh reads
of an object what was asked for, so that nothing of what was only added.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
"""Key of what stands for a secret, in an exported state and where the program registers resources."""


def deployments(state: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Namespace, name and resource of each Deployment of an exported state that is not about to be deleted."""
    for each in state["deployment"].get("resources") or ():
        metadata = _inner(each, "inputs", "metadata")
        if each.get("type") == _DEPLOYMENT and not each.get("delete") and {"namespace", "name"} <= metadata.keys():
            yield str(metadata["namespace"]), str(metadata["name"]), each


def differs(resource: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether the cluster's object is another than the state's: by its number of pods alone it is not.

    It has other values than when it was read last, or fields that this program applied and that it asks for no more.
    """
    known, now = _counted(_inner(resource, "outputs", "spec")), _counted(_inner(live, "spec"))
    if known and SIGNATURE_KEY not in json.dumps(known) and known != now:
        return True
    manager = _inner(resource, "outputs").get("__fieldManager")
    applied = (
        _inner(each, "fieldsV1", "f:spec")
        for each in _inner(live, "metadata").get("managedFields") or ()
        if each.get("manager") == manager and each.get("operation") == "Apply"
    )
    asked = _inner(resource, "inputs", "spec")
    return any(_unasked(fields, asked) for fields in applied)


def _unasked(fields: Mapping[str, Any], asked: Any) -> bool:
    """Whether one of these fields, as the API server notes who applied them, is not asked for."""
    return any(
        found is None or _unasked(inner, found[0])
        for key, inner in fields.items()
        if key != "."
        for found in [_found(key, asked)]
    )


def _found(key: str, asked: Any) -> tuple[Any] | None:
    """What is asked for at a key: `f:` is a field, `k:` an item of a list by some of its fields, `v:` one by itself."""
    kind, _, name = key.partition(":")
    if kind == "f":
        return (asked[name],) if isinstance(asked, Mapping) and name in asked else None
    if kind not in ("k", "v"):
        return (asked,)
    wanted, items = json.loads(name), asked if isinstance(asked, list) else []
    if kind == "v":
        return (wanted,) if wanted in items else None
    # A field that is left out has its default in the key.
    alike = (each for each in items if all(each.get(field, value) == value for field, value in wanted.items()))
    return next(((each,) for each in alike), None)


def _counted(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Without the number of pods, which an autoscaler sets and a refresh reads."""
    return {key: value for key, value in spec.items() if key != "replicas"}


def _inner(value: Any, *path: str) -> Mapping[str, Any]:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
