"""The plan of a stack: frozen values from its config, or every reason why it cannot work."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from l4serve.config.node_pool import CHEAPEST
from l4serve.config.problems import ConfigError, Problem, Refused, refuse
from l4serve.config.stack import StackConfig
from l4serve.config.stack_file import Stack, Token
from l4serve.config.workload import Workload
from l4serve.planning.gke.classes import ComputeClassPlan, class_of_each_pool, plan_compute_class
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.cluster_planner import plan_cluster
from l4serve.planning.gke.hf_token import SecretPlan, plan_secret
from l4serve.planning.gke.pools import PoolPlan, plan_pool
from l4serve.planning.machines.prices import Market, Price, hourly, stated_prices
from l4serve.planning.machines.shapes import find_shape
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import ModelConfigError, facts_from_config
from l4serve.planning.models.model_shape import ModelFacts
from l4serve.planning.packing.placement import NodeSetup, Placement, PodRequest, PoolPlacement, PoolRoom, place
from l4serve.planning.stack.cost import stack_cost
from l4serve.planning.stack.dashboard_definition import dashboard_definition
from l4serve.planning.stack.edits import configured_edits
from l4serve.planning.stack.machine_defaults import with_machine_types
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.rollout import plan_rollout
from l4serve.planning.workload.scraping import refuse_monitoring
from l4serve.planning.workload.workload_plan import WorkloadPlan
from l4serve.planning.workload.workload_planner import Surroundings, plan_workload


def plan_stack(stack: Stack) -> StackPlan:
    """The plan of a loaded stack; raises ConfigError with every problem found."""
    config, project = stack.config, stack.project
    has_token = stack.token is Token.CONFIGURED
    refused = Refused()
    with refused:
        cluster = plan_cluster(config.cluster, project=project, allow_replace=config.allow_replace)
    refused.stop()
    facts = _facts(config, stack.model_configs, refused)
    with refused:
        config = with_machine_types(config, facts, cluster.region)
    if any(pool.machine_type == CHEAPEST for pool in config.node_pools.values()):
        refused.stop()
    pools, classes = _nodes(config, cluster, refused)
    gated = tuple(name for name, workload in config.workloads.items() if is_gated(workload, facts.get(name)))
    secret: SecretPlan | None = None
    with refused:
        secret = _secret(config, cluster, wanted=has_token or bool(gated))
    missing = () if has_token or secret is None or secret.source != "token" else gated
    refused.problems += [*service_collisions(config), *_stray_replacements(config), *_foreign_namespace(config)]
    with refused:
        refuse_monitoring(config, cluster, project)
    if len(pools) < len(config.node_pools) or len(facts) < len(config.workloads):
        refused.stop()
    around = Surroundings(
        stack=stack.name,
        namespace=config.namespace,
        cluster=cluster,
        pools=pools,
        classes=classes,
        secret=secret,
        monitoring=config.monitoring,
    )
    placed, placement = within_pools(_workloads(config, facts, around, refused), pools)
    return StackPlan(
        stack=stack.name,
        namespace=config.namespace,
        create_namespace=config.create_namespace,
        cluster=cluster,
        node_pools=pools,
        compute_classes=classes,
        secret=secret,
        token_missing=missing,
        workloads=placed,
        placement=placement,
        dashboard=_dashboard(stack.name, config, cluster, placed),
        dashboard_project=cluster.project or project,
        prices={p.name: _price(p, cluster, config) for p in pools},
        cost=stack_cost(cluster, pools, placed, stated_prices(config.prices)),
        edits=configured_edits(config, existing_cluster=cluster.managed is None),
    )


def _stray_replacements(config: StackConfig) -> list[Problem]:
    """Names in `allowReplace` that lift no protection, such as that of a pool that was renamed."""
    known = {"cluster", *config.node_pools}
    remedy = f"use some of: {', '.join(sorted(known))}; or remove it"
    return [
        Problem(f"allowReplace[{i}]", f"nothing of the stack is called {name!r}", remedy)
        for i, name in enumerate(config.allow_replace)
        if name not in known
    ]


def _dashboard(
    stack: str, config: StackConfig, cluster: ClusterPlan, workloads: Sequence[WorkloadPlan]
) -> Mapping[str, Any] | None:
    if not config.monitoring.dashboard:
        return None
    return dashboard_definition(stack, cluster=cluster.name, namespace=config.namespace, workloads=workloads)


def _facts(
    config: StackConfig, model_configs: Mapping[str, Mapping[str, Any]], refused: Refused
) -> Mapping[str, ModelFacts | None]:
    """Facts of each workload's model; what cannot be read is gathered in `refused`."""
    facts: dict[str, ModelFacts | None] = {}
    for name, workload in config.workloads.items():
        with refused:
            facts[name] = model_facts(f"workloads.{name}", workload, model_configs.get(name))
    return facts


def _workloads(
    config: StackConfig, facts: Mapping[str, ModelFacts | None], around: Surroundings, refused: Refused
) -> Sequence[WorkloadPlan]:
    """Plans of all workloads; raises ConfigError for everything refused up to here."""
    workloads: list[WorkloadPlan] = []
    for name, workload in config.workloads.items():
        with refused:
            workloads.append(plan_workload(name, workload, facts[name], around))
    refused.stop()
    return workloads


_MARKETS: Mapping[str, Market] = {"spot": "spot", "flex-start": "flex-start"}


def _price(pool: PoolPlan, cluster: ClusterPlan, config: StackConfig) -> Price | None:
    """A reservation is paid for as on demand."""
    market = _MARKETS.get(pool.provisioning, "on-demand")
    return hourly(pool.machine_type, region=cluster.region, market=market, overrides=stated_prices(config.prices))


def _nodes(
    config: StackConfig, cluster: ClusterPlan, refused: Refused
) -> tuple[tuple[PoolPlan, ...], tuple[ComputeClassPlan, ...]]:
    """The pools and compute classes that can be planned; what cannot is gathered in `refused`."""
    owners: Mapping[str, str] = {}
    with refused:
        owners = class_of_each_pool(config.compute_classes)
    pools: dict[str, PoolPlan] = {}
    for name, pool in config.node_pools.items():
        with refused:
            owner = owners.get(name)
            pools[name] = plan_pool(name, pool, cluster, compute_class=owner, allow_replace=config.allow_replace)
    classes: list[ComputeClassPlan] = []
    for name, order in config.compute_classes.items():
        with refused:
            if not any(p.node_pool in config.node_pools and p.node_pool not in pools for p in order.priorities):
                classes.append(plan_compute_class(name, order, cluster, pools, config.node_pools))
    return tuple(pools.values()), tuple(classes)


def model_facts(path: str, workload: Workload, raw: Mapping[str, Any] | None) -> ModelFacts | None:
    """Facts of a workload's model from its own config.json, else from the catalogue; None when nobody knows it."""
    if raw is None:
        return find_model(workload.model.id)
    try:
        return facts_from_config(raw, model_id=workload.model.id, source=str(workload.model.config))
    except ModelConfigError as error:
        refuse(f"{path}.model.config", str(error))


def is_gated(workload: Workload, facts: ModelFacts | None) -> bool:
    """Whether the Hub wants a token for the model: the config's word, else the catalogue's."""
    if workload.model.gated is not None:
        return workload.model.gated
    return bool(facts and facts.gated)


def _secret(config: StackConfig, cluster: ClusterPlan, *, wanted: bool) -> SecretPlan | None:
    tgi = [name for name, workload in config.workloads.items() if workload.engine.kind == "tgi"]
    plan = plan_secret(config.hugging_face, project=cluster.project, cluster=cluster, env_only=tgi)
    return plan if wanted or plan.source != "token" else None


def _foreign_namespace(config: StackConfig) -> Iterator[Problem]:
    """A namespace that the cluster itself owns would be taken over, and deleted with the stack."""
    if config.create_namespace and (config.namespace == "default" or config.namespace.startswith("kube-")):
        message = f"namespace {config.namespace} is the cluster's own, and would be deleted with the stack"
        yield Problem("namespace", message, "choose another, or set createNamespace: false")


def service_collisions(config: StackConfig) -> list[Problem]:
    """Two Services of one name, which the second workload's apply would take over from the first."""
    owners: dict[str, str] = {}
    problems = []
    for name, workload in config.workloads.items():
        service = workload.service.name or name
        if service in owners:
            message = f"the Service name {service!r} is also that of workload {owners[service]!r}"
            problems.append(Problem(f"workloads.{name}.service.name", message, "give one of them another name"))
        owners.setdefault(service, name)
    return problems


def within_pools(
    workloads: Sequence[WorkloadPlan], pools: Sequence[PoolPlan]
) -> tuple[tuple[WorkloadPlan, ...], tuple[PoolPlacement, ...]]:
    """The workloads with rollouts that their pools have room for, and where their replicas land.

    Raises ConfigError where the replicas do not pack on the pools.
    """
    packed = [_pod_request(w) for w in workloads if w.placing.packed_on is not None]
    placement = place(packed, [_room(p) for p in pools])
    if placement.refusals:
        raise ConfigError(placement.refusals)
    placed = (
        replace(w, rollout=plan_rollout(w.most_replicas, _spare(w, placement), w.probes.startup_seconds))
        for w in workloads
    )
    return tuple(placed), placement.pools


def _spare(workload: WorkloadPlan, placement: Placement) -> int | None:
    """Pods that fit beside the replicas; None where nodes are made on demand, 0 where nobody knows."""
    if workload.name in placement.spare:
        return placement.spare[workload.name]
    return 0 if workload.placing.fixed_nodes else None


def _pod_request(workload: WorkloadPlan) -> PodRequest:
    requests = workload.resources.requests
    return PodRequest(
        workload=workload.name,
        cpu_millis=requests.cpu_millis,
        memory_bytes=requests.memory_bytes,
        ephemeral_bytes=requests.ephemeral_bytes,
        gpus=workload.gpus,
        replicas=workload.most_replicas,
        node_pool=workload.placing.packed_on,
    )


def _room(pool: PoolPlan) -> PoolRoom:
    shape = find_shape(pool.machine_type)
    assert shape is not None, "planning a pool checks its machine type"
    setup = NodeSetup(boot_disk_gib=pool.disk_size_gb, local_ssds=pool.ephemeral_ssds)
    return PoolRoom(name=pool.name, shape=shape, max_nodes=pool.max_nodes, setup=setup)
