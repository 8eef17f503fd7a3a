"""The plan of a stack: frozen values from its config, or every reason why it cannot work."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step, gather, gather_all, once, refuse_all
from l4serve.config.keys.stack import StackConfig
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import ConfigError, Problem, refuse
from l4serve.config.stack_file import Stack, Token, named_secrets
from l4serve.config.words.model_ids import file_type
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.gateway import plan_gateway
from l4serve.planning.gke.hf_token import SecretPlan, plan_secret
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.machines.price_names import misspelt_prices
from l4serve.planning.machines.prices import stated_prices
from l4serve.planning.memory.host import image_gib
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import ModelShape, QuantizationFacts
from l4serve.planning.packing.placement import Placement, PodRequest, PoolPlacement, PoolRoom, place
from l4serve.planning.stack.class_pods import class_spare, spread_over_classes
from l4serve.planning.stack.cost import stack_cost
from l4serve.planning.stack.dashboard_definition import dashboard_definition
from l4serve.planning.stack.name_rules import name_problems
from l4serve.planning.stack.room import pod_request, pool_room
from l4serve.planning.stack.site_planner import accelerators_of_pools, planned_cluster, planned_site
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.system_room import room_problems
from l4serve.planning.values.lasting import lasting
from l4serve.planning.workload.drafting import Draft, draft_workload
from l4serve.planning.workload.hub_reads import wants_token
from l4serve.planning.workload.judgement.judged_subject import subject_of
from l4serve.planning.workload.judgement.subject import Subject
from l4serve.planning.workload.nodes.node_choice import Placing
from l4serve.planning.workload.pods.claims import read_only_caches, shared_claims
from l4serve.planning.workload.reach.route_plan import refuse_routes
from l4serve.planning.workload.scraping import refuse_monitoring
from l4serve.planning.workload.surroundings import Surroundings
from l4serve.planning.workload.workload_plan import WorkloadPlan
from l4serve.planning.workload.workload_planner import finish


@frozen(kw_only=True)
class Steps:
    """The steps of a stack's plan that others depend on; each runs once, when it is first asked for."""

    shapes: Mapping[str, Step[ModelShape | None]]
    """Shape of each workload's model."""
    cluster: Step[ClusterPlan]
    around: Surroundings


@lasting
def plan_stack(stack: Stack) -> StackPlan:
    """The plan of a loaded stack; raises ConfigError with every problem found.

    A refusal hides no other that does not depend on it.
    """
    config, steps = stack.config, _steps(stack)
    around = steps.around
    drafts = once(partial(_drafts, config, steps.shapes, around))
    _refuse_beside(stack, steps, drafts)
    workloads, placement = within_pools(drafts(), around.site().pools, around)
    return _assemble(stack, around, workloads, placement, gated=_gated(config, steps.shapes))


def _refuse_beside(stack: Stack, steps: Steps, drafts: Step[tuple[Draft, ...]]) -> None:
    """Raises ConfigError for what stops a stack before its pods are packed."""
    config, around = stack.config, steps.around
    gather(
        around.site,
        around.secret,
        lambda: refuse_routes(config.workloads, around.gateway()),
        lambda: refuse_monitoring(config, steps.cluster(), stack.project),
        partial(
            refuse_all,
            (
                *name_problems(config),
                *misspelt_prices(config.prices),
                *shared_claims(config.workloads),
                *read_only_caches(config.workloads),
            ),
        ),
        drafts,
    )
    refuse_all(_system_room(around.site().cluster, drafts()))


@frozen(kw_only=True)
class Survey:
    """What a stack is judged by, workload by workload, where no plan of the whole is wanted."""

    subjects: Mapping[str, Step[Subject]]
    """What the plan judges of each workload, on the card that it would get; nobody reads how to mend its memory."""
    drafts: Mapping[str, Step[Draft]]
    """Each workload as its plan drafts it."""
    draft: Callable[[str, Subject], Draft]
    """Drafts a workload by its name and an edited subject; raises ConfigError as its plan does."""
    refuse_nodes: Callable[[], None]
    """Raises ConfigError with what the plan refuses where pods are packed, or before."""


def survey(stack: Stack) -> Survey:
    """The parts of a stack's plan that its workloads are judged by, each worked out once."""
    steps, names = _steps(stack), tuple(stack.config.workloads)

    def subject(name: str) -> Subject:
        found = subject_of(name, stack.config.workloads[name], steps.shapes[name], steps.around)
        return replace(found, cured=False)

    def draft(name: str, subject: Subject) -> Draft:
        return draft_workload(name, subject.workload, steps.shapes[name], steps.around, subject)

    def own_draft(name: str) -> Draft:
        return draft(name, subjects[name]())

    subjects = {name: once(partial(subject, name)) for name in names}
    drafts = {name: once(partial(own_draft, name)) for name in names}

    def refuse_nodes() -> None:
        _refuse_beside(stack, steps, once(lambda: gather_all(drafts.values())))
        _packed([drafts[name]() for name in names], steps.around.site().pools)

    return Survey(subjects=subjects, drafts=drafts, draft=draft, refuse_nodes=refuse_nodes)


def _steps(stack: Stack) -> Steps:
    config = stack.config
    shapes = {name: once(partial(model_shape, name, stack)) for name in config.workloads}
    cluster = once(partial(planned_cluster, stack))
    around = Surroundings(
        stack=stack.name,
        namespace=config.namespace,
        project=stack.project,
        secrets=stack.secrets,
        site=once(partial(planned_site, config, cluster, shapes)),
        secret=once(lambda: _secret(stack, cluster(), wanted=bool(_gated(config, shapes)))),
        gateway=once(lambda: plan_gateway(config.expose, cluster())),
        workloads=config.workloads,
        monitoring=config.monitoring,
        network_policy=config.network_policy,
        pools=tuple(config.node_pools),
        classes=tuple(config.compute_classes),
        accelerators=accelerators_of_pools(config),
    )
    return Steps(shapes=shapes, cluster=cluster, around=around)


def _assemble(
    stack: Stack,
    around: Surroundings,
    workloads: tuple[WorkloadPlan, ...],
    placement: tuple[PoolPlacement, ...],
    *,
    gated: tuple[str, ...],
) -> StackPlan:
    config, site, secret = stack.config, around.site(), around.secret()
    own_token = secret is not None and secret.source == "token" and stack.token is not Token.CONFIGURED
    return StackPlan(
        stack=stack.name,
        namespace=config.namespace,
        create_namespace=config.create_namespace,
        cluster=site.cluster,
        node_pools=site.pools,
        compute_classes=site.classes,
        gateway=around.gateway(),
        secret=secret,
        token_missing=gated if own_token else (),
        keys_missing=tuple(name for name in named_secrets(stack.serving) if name not in stack.secrets),
        workloads=workloads,
        placement=placement,
        dashboard=_dashboard(stack, site.cluster, workloads),
        dashboard_project=site.cluster.project or stack.project,
        cost=stack_cost(site.cluster, site.pools, workloads, stated_prices(config.prices), site.classes),
        config=config,
    )


def _dashboard(stack: Stack, cluster: ClusterPlan, workloads: Sequence[WorkloadPlan]) -> Mapping[str, Any] | None:
    if not stack.config.monitoring.dashboard:
        return None
    namespace = stack.config.namespace
    return dashboard_definition(stack.name, cluster=cluster.name, namespace=namespace, workloads=workloads)


def _drafts(
    config: StackConfig, shapes: Mapping[str, Step[ModelShape | None]], around: Surroundings
) -> tuple[Draft, ...]:
    return gather_all(partial(draft_workload, name, w, shapes[name], around) for name, w in config.workloads.items())


def model_shape(name: str, stack: Stack) -> ModelShape | None:
    """Shape of a workload's model from its own config.json, else from the catalogue; None when nobody knows it."""
    workload, raw = stack.config.workloads[name], stack.model_configs.get(name)
    if raw is None:
        return find_model(workload.model.id)
    try:
        shape = shape_from_config(raw, model_id=workload.model.id, source=str(workload.model.config))
    except ModelConfigError as error:
        refuse(f"workloads.{name}.model.config", str(error))
    # Such a config.json is that of the model before its weights were written by another type.
    in_file = file_type(workload.model.id) is not None
    return replace(shape, quantization=QuantizationFacts(method="gguf", bits=8)) if in_file else shape


def _gated(config: StackConfig, shapes: Mapping[str, Step[ModelShape | None]]) -> tuple[str, ...]:
    """Workloads that want a token; of one whose config.json cannot be read, the config's word counts."""

    def gated(name: str, workload: Workload) -> bool:
        try:
            return wants_token(workload, shapes[name]())
        except ConfigError:
            return wants_token(workload, None)

    return tuple(name for name, workload in config.workloads.items() if gated(name, workload))


def _secret(stack: Stack, cluster: ClusterPlan, *, wanted: bool) -> SecretPlan | None:
    workloads = stack.config.workloads.items()
    env_only = [name for name, w in workloads if not engine_profile(w.engine.kind).reads_token_file]
    project = cluster.project or stack.project
    config, mark = stack.config.hugging_face, stack.secrets.get("hfToken")
    plan = plan_secret(config, project=project, cluster=cluster, env_only=env_only, mark=mark)
    used = wanted or plan.source != "token" or stack.token is Token.CONFIGURED
    return plan if used else None


def within_pools(
    drafts: Sequence[Draft], pools: Sequence[PoolPlan], around: Surroundings
) -> tuple[tuple[WorkloadPlan, ...], tuple[PoolPlacement, ...]]:
    """The workloads with rollouts that their pools have room for, and where their replicas land.

    Raises ConfigError where the replicas do not pack on the pools.
    """
    rooms, placed, placement = _packed(drafts, pools)
    of_classes = {draft.name: _class_spare(draft, placed, rooms) for draft in drafts if draft.place.placing.class_pools}
    spare = {**placement.spare, **of_classes}
    planned = (finish(draft, around, spare_pods=_spare(draft, spare)) for draft in drafts)
    return tuple(planned), placement.pools


def _packed(
    drafts: Sequence[Draft], pools: Sequence[PoolPlan]
) -> tuple[Mapping[str, PoolRoom], Sequence[PodRequest], Placement]:
    """What the pools hold, what is asked of them, and where it lands; raises ConfigError where it does not."""
    rooms = {pool.name: pool_room(pool) for pool in pools}
    asked = [entry for draft in drafts for entry in _asked(draft)]
    placed = spread_over_classes(asked, rooms)
    placement = place(placed, list(rooms.values()))
    refuse_all(placement.refusals)
    return rooms, placed, placement


def _system_room(cluster: ClusterPlan, drafts: Sequence[Draft]) -> Iterator[Problem]:
    pickers = [route.picker for each in drafts if (route := each.access.route) is not None and route.picker is not None]
    filled = [each for each in drafts if each.storage.store is not None and each.storage.store.kind == "hyperdisk"]
    images = {each.image: image_gib(each.workload.engine.kind) for each in filled}
    return room_problems(cluster, pickers, sum(images.values()) if filled else None)


def _asked(draft: Draft) -> Iterator[tuple[Placing, PodRequest]]:
    """What a workload asks of the stack's pools: first the pods that no spot node may have, then the others."""
    place, kept = draft.place, draft.workload.min_on_demand
    parts = [(place.placing, draft.most_replicas - kept)] if kept < draft.most_replicas or not kept else []
    if kept and place.off_spot is not None:
        parts.insert(0, (place.off_spot, kept))
    for placing, replicas in parts:
        if placing.packed_on is not None:
            yield placing, pod_request(draft.name, draft.resources, placing, replicas)


def _class_spare(draft: Draft, placed: Sequence[PodRequest], rooms: Mapping[str, PoolRoom]) -> int | None:
    """Pods that fit beside all replicas; where some never run on spot nodes, two must fit, one of them off spot."""
    place = draft.place
    pod = pod_request(draft.name, draft.resources, place.placing, 1)
    anywhere = class_spare(place.placing, pod, placed, rooms)
    if not draft.workload.min_on_demand or place.off_spot is None:
        return anywhere
    lasting = class_spare(place.off_spot, pod, placed, rooms)
    known = [spare for spare in (None if anywhere is None else anywhere - 1, lasting) if spare is not None]
    return max(0, min(known)) if known else None


def _spare(draft: Draft, spare: Mapping[str, int | None]) -> int | None:
    """Pods that fit beside the replicas; None where nodes are made on demand, 0 where nobody knows."""
    if draft.name in spare:
        return spare[draft.name]
    return 0 if draft.place.placing.fixed_nodes else None
