"""Objects that a stack takes from its namespace, and that nobody can have made before its first update."""

from collections.abc import Iterator, Sequence

from l4serve.planning.gke.gateway import GatewayPlan
from l4serve.planning.values.note import Note
from l4serve.planning.workload.workload_plan import WorkloadPlan


def awaited_objects(
    namespace: str, workloads: Sequence[WorkloadPlan], gateway: GatewayPlan | None, *, new_cluster: bool
) -> Iterator[Note]:
    """A note of all that is waited for in a namespace that the stack makes; none where nothing is.

    The namespace of a cluster that the stack makes cannot be there before the update.
    """
    if taken := objects_taken(workloads, gateway):
        way = "" if new_cluster else "make both before it and set createNamespace: false, or "
        fake = "" if new_cluster else "; nodes that run no containers, as the sandbox's, wait for none"
        text = f"the first update makes namespace {namespace}, and waits for objects that nobody can have made there"
        yield Note("createNamespace", f"{text}: {', '.join(taken)}; {way}make them while it runs{fake}")


def objects_taken(workloads: Sequence[WorkloadPlan], gateway: GatewayPlan | None) -> tuple[str, ...]:
    """Objects that pods or the gateway take from the namespace and that the stack does not make, each once."""
    serving = [workload for workload in workloads if workload.scale.most_replicas]
    made = {each for workload in serving for each in _made(workload)}
    taken = [each for workload in serving for each in _taken(workload) if each not in made]
    if gateway is not None and gateway.tls_secret is not None:
        taken.append(f"Secret {gateway.tls_secret}")
    return tuple(dict.fromkeys(taken))


def _taken(workload: WorkloadPlan) -> Iterator[str]:
    """What the pods start with, whoever makes it."""
    if workload.secret is not None and workload.secret.secret_name is not None:
        yield f"Secret {workload.secret.secret_name}"
    for source in workload.engine.env_sources.values():
        yield f"Secret {source.secret}" if source.secret else f"ConfigMap {source.config_map}"
    if workload.service.tls is not None:
        yield f"Secret {workload.service.tls.secret}"
    yield from (f"PersistentVolumeClaim {each.claim}" for each in workload.storage.volumes if each.claim is not None)
    if not workload.identity.create:
        yield f"ServiceAccount {workload.identity.account}"


def _made(workload: WorkloadPlan) -> Iterator[str]:
    """What of it the stack makes."""
    for secret in (workload.secret, workload.engine.key_source):
        if secret is not None and secret.source != "existing":
            yield f"Secret {secret.secret_name}"
    if workload.storage.store is not None:
        yield f"PersistentVolumeClaim {workload.storage.store.claim}"
