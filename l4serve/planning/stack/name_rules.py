"""Names of a stack that cannot be used: two Services of one name, a namespace of the cluster, a lost `allowReplace`."""

from collections.abc import Iterator

from l4serve.config.problems import Problem
from l4serve.config.stack import StackConfig


def name_problems(config: StackConfig) -> tuple[Problem, ...]:
    """What is wrong with the names of a stack."""
    return (
        *_service_collisions(config),
        *_object_collisions(config),
        *_stray_replacements(config),
        *_foreign_namespace(config),
    )


def _service_collisions(config: StackConfig) -> Iterator[Problem]:
    """Two Services of one name, which the second workload's apply would take over from the first."""
    owners: dict[str, str] = {}
    for name, workload in config.workloads.items():
        service = workload.service.name or workload.renamed_from or name
        if service in owners:
            message = f"the Service name {service!r} is also that of workload {owners[service]!r}"
            yield Problem(f"workloads.{name}.service.name", message, "give one of them another name")
        owners.setdefault(service, name)


def _object_collisions(config: StackConfig) -> Iterator[Problem]:
    """Two workloads with one set of Kubernetes names, of which the second would take over the first's objects."""
    owners: dict[str, str] = {}
    for name, workload in config.workloads.items():
        objects = workload.renamed_from or name
        if objects in owners:
            message = f"its Kubernetes names are those of workload {owners[objects]!r}"
            yield Problem(f"workloads.{name}.renamedFrom", message, "give that one another name, or remove renamedFrom")
        owners.setdefault(objects, name)


def _stray_replacements(config: StackConfig) -> Iterator[Problem]:
    """Names in `allowReplace` that lift no protection, such as that of a pool that was renamed."""
    known = {"cluster", *config.node_pools}
    remedy = f"use some of: {', '.join(sorted(known))}; or remove it"
    for i, name in enumerate(config.allow_replace):
        if name not in known:
            yield Problem(f"allowReplace[{i}]", f"neither the cluster nor a node pool is called {name!r}", remedy)


def _foreign_namespace(config: StackConfig) -> Iterator[Problem]:
    """A namespace that the cluster itself owns would be taken over, and deleted with the stack."""
    if config.create_namespace and (config.namespace == "default" or config.namespace.startswith("kube-")):
        message = f"namespace {config.namespace} is the cluster's own, and would be deleted with the stack"
        yield Problem("namespace", message, "choose another, or set createNamespace: false")
