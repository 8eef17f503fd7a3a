"""Names of a stack that cannot be used: two Services of one name, a namespace of the cluster, a lost `allowReplace`."""

from collections.abc import Iterator

from l4serve.config.keys.stack import StackConfig
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.config.words.spelling import did_you_mean
from l4serve.planning.gke.api_key import key_reader
from l4serve.planning.gke.hf_token import TOKEN_READER
from l4serve.planning.values.names import on_demand_name
from l4serve.planning.workload.reach.endpoint_picker import picker_name


def name_problems(config: StackConfig) -> tuple[Problem, ...]:
    """What is wrong with the names of a stack."""
    return (
        *_service_collisions(config),
        *_object_collisions(config),
        *_beside_collisions(config),
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
        if workload.renamed_from == name:
            yield Problem(
                f"workloads.{name}.renamedFrom",
                f"it is the workload's own name {name!r}, which renames nothing",
                "give the name of its first deployment, or remove renamedFrom",
            )
        objects = workload.renamed_from or name
        if objects in owners:
            message = f"its Kubernetes names are those of workload {owners[objects]!r}"
            yield Problem(f"workloads.{name}.renamedFrom", message, "give that one another name, or remove renamedFrom")
        owners.setdefault(objects, name)


def _beside_collisions(config: StackConfig) -> Iterator[Problem]:
    """A workload with a name that an option of another gives to an object of its own beside that one's."""
    taken = {
        (kind, name): f"{key} of workload {owner!r}"
        for owner, workload in config.workloads.items()
        for kind, name, key in _objects_beside(workload.renamed_from or owner, workload)
    }
    manager = config.hugging_face.secret_manager
    if manager is not None and manager.delivery == "sync":
        taken["ServiceAccount", TOKEN_READER] = "huggingFace.secretManager"
    for name, workload in config.workloads.items():
        objects = workload.renamed_from or name
        own = {"Deployment": objects, "ServiceAccount": objects, "Service": workload.service.name or objects}
        kinds = [kind for kind, called in own.items() if (kind, called) in taken]
        if kinds:
            key = "service.name" if kinds == ["Service"] and workload.service.name else "renamedFrom"
            at = f"workloads.{name}" + (f".{key}" if key == "service.name" or workload.renamed_from else "")
            what = f"its {' and its '.join(kinds)} would be {own[kinds[0]]!r}, the name of one that"
            yield Problem(at, f"{what} {taken[kinds[0], own[kinds[0]]]} makes", "give one of them another name")


def _objects_beside(objects: str, workload: Workload) -> Iterator[tuple[str, str, str]]:
    """Kind, name and config key of what options make beside a workload's own objects."""
    if workload.min_on_demand:
        yield "Deployment", on_demand_name(objects), "minOnDemand"
    if workload.expose is not None and workload.expose.inference_pool:
        for kind in ("Deployment", "ServiceAccount", "Service"):
            yield kind, picker_name(objects), "expose.inferencePool"
    if workload.api_key is not None and workload.api_key.secret_manager is not None:
        yield "ServiceAccount", key_reader(objects), "apiKey.secretManager"


def _stray_replacements(config: StackConfig) -> Iterator[Problem]:
    """Names in `allowReplace` that lift no protection, such as that of a pool that was renamed."""
    known = sorted({"cluster", *config.node_pools})
    for i, name in enumerate(config.allow_replace):
        if name not in known:
            remedy = did_you_mean(name, known) or f"use some of: {', '.join(known)}; or remove it"
            yield Problem(f"allowReplace[{i}]", f"neither the cluster nor a node pool is called {name!r}", remedy)


def _foreign_namespace(config: StackConfig) -> Iterator[Problem]:
    """A namespace that the cluster itself owns would be taken over, and deleted with the stack."""
    if config.create_namespace and (config.namespace == "default" or config.namespace.startswith("kube-")):
        message = f"namespace {config.namespace} is the cluster's own, and would be deleted with the stack"
        yield Problem("namespace", message, "choose another, or set createNamespace: false")
