"""Plans one workload: layout, place, resources, command line, probes and judgement."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from l4serve.config.autoscaling import StackMonitoring
from l4serve.config.problems import ConfigError, Problem, Refused, refuse
from l4serve.config.vllm import VllmEngine
from l4serve.config.workload import Workload
from l4serve.engines.argv import EngineRefusal, Launch, build_launch
from l4serve.engines.contract import Contract, ContractError, ResolvedContract, resolve_contract
from l4serve.planning.gke.classes import ComputeClassPlan
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.gke.pools import PoolPlan
from l4serve.planning.machines.autopilot_sizes import AutopilotSizeError, adjust, changes
from l4serve.planning.machines.shapes import DEFAULT_ACCELERATOR
from l4serve.planning.models.model_shape import ModelFacts
from l4serve.planning.values.names import LABEL_PREFIX, shorten, workload_labels
from l4serve.planning.workload.gpu_layout import GpuLayout, gpu_layout
from l4serve.planning.workload.judging import host_notes, judge_workload, serving_options
from l4serve.planning.workload.node_choice import Place, find_place
from l4serve.planning.workload.pod_resources import PodResources, default_requests, pod_resources
from l4serve.planning.workload.rollout import plan_rollout
from l4serve.planning.workload.scaling import AutoscalingPlan, plan_autoscaling
from l4serve.planning.workload.scraping import scraped
from l4serve.planning.workload.workload_plan import Judgement, Probes, WorkloadPlan

STARTUP_PERIOD_SECONDS = 10
MINIMUM_STARTUP_SECONDS = 1800
"""Download, load and compilation of a model of L4 size at a slow Hub; ending a load early only repeats it."""
SECONDS_PER_CHECKPOINT_GIB = 30
"""Download at 35 MiB/s, which large checkpoints are given on top where they would take longer."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the workloads of a stack share."""

    stack: str
    namespace: str
    cluster: ClusterPlan
    pools: tuple[PoolPlan, ...]
    classes: tuple[ComputeClassPlan, ...]
    secret: SecretPlan | None
    monitoring: StackMonitoring


def plan_workload(name: str, workload: Workload, facts: ModelFacts | None, around: Surroundings) -> WorkloadPlan:
    """The plan of one workload; `facts` is None for a model that nobody described.

    Raises ConfigError with every problem that stops it. The rollout is planned as if nodes were made on demand:
    the stack's plan narrows it to what its pools hold.
    """
    path = f"workloads.{name}"
    refused = Refused()
    refused.problems += _taken_labels(path, workload)
    with refused:
        layout = gpu_layout(path, workload)
    with refused:
        resolved = _contract(path, workload)
    refused.stop()
    accelerator = DEFAULT_ACCELERATOR
    with refused:
        place = find_place(path, workload, layout.gpus, around.cluster, around.pools, around.classes)
        accelerator = place.shape.accelerator
        resources, size_notes = _resources(path, workload, layout, place, around.cluster)
    with refused:
        launch = _launch(path, workload, layout, resolved.contract)
    scaling: AutoscalingPlan | None = None
    with refused:
        if workload.autoscaling is not None:
            scaling = plan_autoscaling(f"{path}.autoscaling", workload.autoscaling, resolved.contract)
    with refused:
        judgement = judge_workload(path, workload, layout, facts, resolved.contract, accelerator)
    refused.stop(first_per_path=True)
    host = host_notes(facts, serving_options(workload.engine, layout), resources) if facts else ()
    notes = (*((resolved.note,) if resolved.note else ()), *size_notes, *judgement.notes, *host)
    judgement = replace(judgement, notes=notes)
    return _assemble(name, workload, layout, place, resolved, resources, launch, judgement, facts, around, scaling)


def _taken_labels(path: str, workload: Workload) -> list[Problem]:
    """Labels by which the stack finds its own pods and objects."""
    own = workload_labels("", stack="", engine="", recipe=None)
    taken = (key for key in workload.labels if key in own or key.startswith(f"{LABEL_PREFIX}/"))
    return [Problem(f"{path}.labels.{key}", "the stack sets this label itself", "remove it") for key in taken]


def _contract(path: str, workload: Workload) -> ResolvedContract:
    engine = workload.engine
    try:
        return resolve_contract(engine.kind, engine.version, engine.contract)
    except ContractError as error:
        refuse(f"{path}.engine.version", str(error))


def _launch(path: str, workload: Workload, layout: GpuLayout, contract: Contract) -> Launch:
    try:
        return build_launch(
            workload.engine,
            model_id=workload.model.id,
            revision=workload.model.revision,
            tensor_parallel_size=layout.tensor_parallel_size,
            pipeline_parallel_size=layout.pipeline_parallel_size,
            port=workload.service.port,
            extra_args=workload.extra_args,
            extra_env=workload.extra_env,
            contract=contract,
        )
    except EngineRefusal as refusal:
        raise ConfigError(Problem(f"{path}.{p.path}", p.message, p.remedy) for p in refusal.problems) from None


def _resources(
    path: str, workload: Workload, layout: GpuLayout, place: Place, cluster: ClusterPlan
) -> tuple[PodResources, tuple[str, ...]]:
    asked = pod_resources(path, workload, layout.gpus, default_requests(place.capacity(layout.gpus)))
    if cluster.mode != "autopilot":
        return asked, ()
    try:
        applied = adjust(asked.requests, layout.gpus, place.shape.accelerator)
    except AutopilotSizeError as error:
        refuse(f"{path}.gpus", str(error))
    raised = changes(asked.requests, applied)
    note = (f"Autopilot's minimum raises {', '.join(raised)}; the price follows",) if raised else ()
    # Autopilot sets limits to the requests; written equal here, its webhook has nothing left to change.
    return PodResources(layout.gpus, applied, applied, min(asked.shm_bytes, applied.memory_bytes)), note


def _assemble(
    name: str,
    workload: Workload,
    layout: GpuLayout,
    place: Place,
    resolved: ResolvedContract,
    resources: PodResources,
    launch: Launch,
    judgement: Judgement,
    facts: ModelFacts | None,
    around: Surroundings,
    scaling: AutoscalingPlan | None,
) -> WorkloadPlan:
    engine, contract = workload.engine, resolved.contract
    labels = workload_labels(name, stack=around.stack, engine=engine.kind, recipe=workload.recipe)
    selector = {"app.kubernetes.io/instance": name}
    probes = _probes(contract, facts)
    replicas = scaling.min_replicas if scaling else workload.replicas
    gated = workload.model.gated if workload.model.gated is not None else bool(facts and facts.gated)
    return WorkloadPlan(
        name=name,
        namespace=around.namespace,
        recipe=workload.recipe,
        engine_kind=engine.kind,
        engine_version=engine.version,
        contract=f"{contract.engine}-{contract.version}",
        image=engine.image or contract.image,
        command=launch.command,
        argv=launch.argv,
        env=launch.env,
        token_variable=contract.token_env,
        secret=around.secret,
        gated=gated,
        model_id=workload.model.id,
        revision=workload.model.revision,
        served_names=_served_names(workload),
        max_model_len=_max_model_len(workload, judgement, facts),
        gpus=layout.gpus,
        tensor_parallel_size=layout.tensor_parallel_size,
        pipeline_parallel_size=layout.pipeline_parallel_size,
        replicas=replicas,
        autoscaling=scaling,
        pod_monitoring=scraped(around.monitoring, workload),
        placing=place.placing,
        resources=resources,
        probes=probes,
        rollout=plan_rollout(workload.most_replicas, None, probes.startup_seconds),
        grace_seconds=contract.shutdown.grace_seconds,
        metrics_path=contract.metrics_path,
        service_name=workload.service.name or shorten(name, 63),
        service_type=workload.service.type,
        port=workload.service.port,
        labels=labels,
        selector=selector,
        pod_labels={**workload.labels, **labels},
        annotations=_annotations(workload),
        judgement=judgement,
    )


def _probes(contract: Contract, facts: ModelFacts | None) -> Probes:
    gib = (facts.checkpoint_bytes or 0) / 2**30 if facts else 0
    seconds = max(MINIMUM_STARTUP_SECONDS, int(gib * SECONDS_PER_CHECKPOINT_GIB))
    return Probes(contract.health_path, STARTUP_PERIOD_SECONDS, -(-seconds // STARTUP_PERIOD_SECONDS))


def _served_names(workload: Workload) -> tuple[str, ...]:
    engine = workload.engine
    names = engine.served_model_name if isinstance(engine, VllmEngine) else None
    return names or (workload.model.id,)


def _max_model_len(workload: Workload, judgement: Judgement, facts: ModelFacts | None) -> int | None:
    engine = workload.engine
    asked = engine.max_model_len if isinstance(engine, VllmEngine) else engine.max_total_tokens
    if asked is not None:
        return asked
    return judgement.fit.max_model_len if judgement.fit else facts.max_position_embeddings if facts else None


def _annotations(workload: Workload) -> Mapping[str, str]:
    return {f"allow.{LABEL_PREFIX}/{shorten(a.rule, 63)}": a.reason for a in workload.allow}
