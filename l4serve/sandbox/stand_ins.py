"""What a stack takes for granted in its namespaces, made for a rehearsal: the namespaces and the claims of others."""

from collections.abc import Iterable, Iterator
from typing import Any

from l4serve.sandbox.apply import namespace_of
from l4serve.sandbox.pods import KubeObject

_OWN_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_MODES = ["ReadWriteMany", "ReadOnlyMany", "ReadWriteOnce"]
_AMOUNT = {"storage": "1Gi"}


def missing_namespaces(objects: Iterable[KubeObject]) -> list[KubeObject]:
    """Namespaces that a stack for an existing cluster takes for granted."""
    made = {each["metadata"]["name"] for each in objects if each["kind"] == "Namespace"}
    used = {namespace_of(each) for each in objects}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in sorted(used - made - _OWN_NAMESPACES)
    ]


def missing_claims(objects: Iterable[KubeObject]) -> list[KubeObject]:
    """Volume and claim in place of each that pods mount and that the stack does not make; pods without one wait."""
    listed = list(objects)
    claims = (each for each in listed if each["kind"] == "PersistentVolumeClaim")
    made = {(namespace_of(each), each["metadata"]["name"]) for each in claims}
    mounted = {(namespace_of(each), name) for each in listed for name in _mounted(each)}
    return [part for space, name in sorted(mounted - made) for part in _bound(str(space), name)]


def _mounted(maker: KubeObject) -> Iterator[str]:
    spec: Any = maker.get("spec", {}).get("template", {})
    for volume in spec.get("spec", {}).get("volumes") or () if isinstance(spec, dict) else ():
        if claim := volume.get("persistentVolumeClaim"):
            yield claim["claimName"]


def _bound(namespace: str, name: str) -> tuple[KubeObject, KubeObject]:
    volume = f"stand-in-{namespace}-{name}"
    shared = {"accessModes": _MODES, "storageClassName": ""}
    owner = {"claimRef": {"namespace": namespace, "name": name}, "hostPath": {"path": "/stand-in"}}
    return (
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {**shared, "capacity": _AMOUNT, **owner},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {**shared, "volumeName": volume, "resources": {"requests": _AMOUNT}},
        },
    )
