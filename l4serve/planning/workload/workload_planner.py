"""Plans one workload: layout, place, resources, command line, probes and judgement."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial

from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step, first_of_each_path, gather, once, refuse_all
from l4serve.config.problems import ConfigError, Problem
from l4serve.config.workload import Workload
from l4serve.engines.contract import Contract
from l4serve.engines.gpu_layout import GpuLayout, gpu_layout
from l4serve.engines.key_shown import shown_key
from l4serve.engines.resolution import ResolvedContract
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.models.purpose import Purpose
from l4serve.planning.values.names import shorten
from l4serve.planning.workload.access import Access, plan_access
from l4serve.planning.workload.alerting import AlertsPlan, alert_notes, plan_alerts, through_updates
from l4serve.planning.workload.alike import judge_alike
from l4serve.planning.workload.client_key import key_in_plain_text, open_despite_key, with_key
from l4serve.planning.workload.host_room import files_gib, host_notes, pod_needs, weight_files_gib
from l4serve.planning.workload.hub_reads import reads_hub
from l4serve.planning.workload.judged_subject import contract_of, judged_subject
from l4serve.planning.workload.judging import Judgement, Subject
from l4serve.planning.workload.lifecycle import Lifecycle, ending_notes, longest_grace, plan_lifecycle
from l4serve.planning.workload.node_choice import Place
from l4serve.planning.workload.object_metadata import object_metadata, taken_labels
from l4serve.planning.workload.place_notes import place_notes
from l4serve.planning.workload.pod_price import dearest_price, pod_price
from l4serve.planning.workload.pod_resources import PlannedResources, PodResources, planned_resources
from l4serve.planning.workload.prospect import MOST_TOLD, Prospect, fitting_load
from l4serve.planning.workload.rollout import plan_rollout
from l4serve.planning.workload.scaling import AutoscalingPlan, following_start, plan_autoscaling
from l4serve.planning.workload.scraping import scraped
from l4serve.planning.workload.served_model import plan_model
from l4serve.planning.workload.start import StartPlan, deadline_seconds, plan_start
from l4serve.planning.workload.storage import StoragePlan, plan_storage, sidecar_requests
from l4serve.planning.workload.surroundings import Surroundings
from l4serve.planning.workload.workload_plan import (
    EnginePlan,
    ScalePlan,
    ServicePlan,
    WorkloadPlan,
)


@frozen(kw_only=True)
class Draft:
    """One workload by itself; the room on its pool, which decides how it rolls out, is not known yet."""

    name: str
    workload: Workload
    shape: ModelShape | None
    """Shape of the model; None where nobody described it."""
    resolved: ResolvedContract
    layout: GpuLayout
    place: Place
    resources: PodResources
    storage: StoragePlan
    alerts: AlertsPlan | None
    start: StartPlan
    scaling: AutoscalingPlan | None
    secret: SecretPlan | None
    access: Access
    subject: Subject
    judgement: Judgement
    purpose: Purpose

    @property
    def object_name(self) -> str:
        """Name of the Kubernetes objects: the first one that the workload was deployed under."""
        return self.workload.renamed_from or self.name

    @property
    def image(self) -> str:
        """Image of the engine."""
        return self.workload.engine.image or self.resolved.contract.image

    @property
    def most_replicas(self) -> int:
        """The most pods that there may be, which the nodes must hold."""
        return self.workload.most_replicas

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """How a pod starts, shows that it lives, and ends."""
        arguments = self.workload, self.resolved.contract, self.start
        return plan_lifecycle(*arguments, spot=self.place.spot, balanced=self.access.route is not None)

    @cached_property
    def lasting(self) -> Lifecycle:
        """The same of a pod that no spot node may have; it starts alike."""
        if not self.place.spot:
            return self.lifecycle
        return plan_lifecycle(self.workload, self.resolved.contract, self.lifecycle.start, spot=False)

    @property
    def longest_grace(self) -> int:
        """Seconds after which the last of its pods that were told to end is gone."""
        return longest_grace(self.lifecycle, self.lasting, self.workload.min_on_demand)


def draft_workload(
    name: str, workload: Workload, shape: Step[ModelShape | None], around: Surroundings, known: Subject | None = None
) -> Draft:
    """What is known of one workload, and of its subject where that is; raises ConfigError with every problem of it."""
    path = f"workloads.{name}"
    layout = once(partial(gpu_layout, path, workload))
    resolved = once(partial(contract_of, path, workload))
    place = once(lambda: around.place_of(path, workload, layout().gpus))
    subject = once(lambda: known or judged_subject(workload, shape(), resolved(), layout(), place, around))
    cluster = once(lambda: around.site().cluster)
    needs = once(lambda: pod_needs(workload, layout(), shape()))
    sidecar = once(lambda: sidecar_requests(workload, files_gib(workload, layout(), shape(), place().shape)))
    files = once(lambda: weight_files_gib(workload, layout(), shape()))
    storage = once(
        lambda: plan_storage(
            path,
            workload.renamed_from or name,
            workload,
            place(),
            cluster(),
            checkpoint_gib=files(),
            sidecar=sidecar(),
        )
    )
    resources = once(lambda: planned_resources(path, workload, layout().gpus, place(), needs(), sidecar()))
    host = once(lambda: host_notes(path, workload, needs(), place(), resources().resources))
    judgement = once(lambda: _judged(path, subject()))
    contract = once(lambda: resolved().contract)
    reached = partial(plan_access, name, workload, around, contract=contract, judgement=judgement)
    access = once(lambda: reached(storage=storage, subject=subject))
    scaling = once(lambda: _scaling(name, workload, contract(), shape(), cluster()))
    image = once(lambda: workload.engine.image or contract().image)
    start = once(lambda: plan_start(workload, place().pool, image(), files(), layout().gpus))
    alerts = once(lambda: plan_alerts(name, workload, contract(), around, start, lambda: subject().purpose))
    labels = partial(refuse_all, taken_labels(path, workload))
    try:
        gather(partial(gather, labels, access, alerts), storage, host, judgement, scaling, around.secret)
    except ConfigError as error:
        raise ConfigError(_unanswered(path, tuple(first_of_each_path(error.problems)))) from None
    notes = (
        *_notes(subject(), judgement(), resources(), host()),
        *place_notes(workload, contract(), place(), cluster()),
        *ending_notes(plan_lifecycle(workload, contract(), start(), spot=False)),
        *storage().notes,
        *alert_notes(workload, contract(), around),
    )
    return Draft(
        name=name,
        workload=workload,
        shape=shape(),
        resolved=resolved(),
        layout=layout(),
        place=place(),
        resources=resources().resources,
        storage=storage(),
        alerts=alerts(),
        start=start(),
        scaling=scaling(),
        secret=around.secret(),
        access=access(),
        subject=subject(),
        purpose=subject().purpose,
        judgement=replace(judgement(), notes=notes),
    )


def _unanswered(path: str, problems: tuple[Problem, ...]) -> Iterator[Problem]:
    """The problems; nodes for GPUs that the remedy of another changes are not asked for."""
    asked = f"{path}.gpus"
    others = [problem for problem in problems if problem.path != asked]
    changed = any("gpus" in problem.changes for problem in others)
    return iter(others if changed else problems)


def _scaling(
    name: str, workload: Workload, contract: Contract, shape: ModelShape | None, cluster: ClusterPlan
) -> AutoscalingPlan | None:
    return plan_autoscaling(
        f"workloads.{name}.autoscaling",
        workload.autoscaling,
        contract,
        shape,
        cluster,
        name=workload.renamed_from or name,
        encrypted=workload.service.tls is not None,
    )


def _notes(subject: Subject, judgement: Judgement, planned: PlannedResources, host: tuple[str, ...]) -> tuple[str, ...]:
    """What is to be said of a workload that runs: its contract, its size, its memory, its host."""
    own = (subject.resolved.note,) if subject.resolved.note else ()
    return (
        *own,
        *open_despite_key(subject.workload),
        *key_in_plain_text(subject.workload),
        *shown_key(subject.workload, subject.resolved.contract),
        *planned.notes,
        *judgement.notes,
        *host,
    )


def _judged(path: str, subject: Subject) -> Judgement:
    judgement = judge_alike(subject)
    refuse_all(replace(problem, path=f"{path}.{problem.path}") for problem in judgement.refusals)
    return judgement


def finish(draft: Draft, around: Surroundings, *, spare_pods: int | None) -> WorkloadPlan:
    """The plan of a drafted workload; `spare_pods` fit beside all replicas of its pool (None: nodes come on demand)."""
    workload, contract = draft.workload, draft.resolved.contract
    scale = ScalePlan(
        replicas=draft.scaling.min_replicas if draft.scaling else workload.replicas,
        autoscaling=following_start(draft.scaling, draft.start),
        on_demand=workload.min_on_demand,
        rollout=plan_rollout(
            draft.most_replicas,
            spare_pods,
            deadline_seconds(draft.start, draft.longest_grace),
            on_one_node=draft.storage.on_one_node,
        ),
    )
    surges = bool(scale.rollout.max_surge)
    return WorkloadPlan(
        name=draft.name,
        object_name=draft.object_name,
        namespace=around.namespace,
        recipe=workload.recipe,
        engine=_engine(draft),
        model=plan_model(workload, draft.shape, draft.judgement.fit, draft.purpose),
        layout=draft.layout,
        secret=draft.secret if reads_hub(workload, draft.judgement.launch) else None,
        scale=scale,
        placing=draft.place.placing,
        resources=draft.resources,
        storage=draft.storage,
        lifecycle=draft.lifecycle,
        lasting=draft.lasting,
        service=ServicePlan(
            name=workload.service.name or shorten(draft.object_name, 63),
            namespace=around.namespace,
            type=workload.service.type,
            port=workload.service.port,
            metrics_path=contract.metrics_path,
            tls=draft.access.tls,
            pod_monitoring=scraped(around.monitoring, workload),
        ),
        identity=draft.access.identity,
        guard=draft.access.guard,
        route=draft.access.route,
        network=draft.access.network,
        metadata=object_metadata(workload, draft.object_name, around.stack),
        judgement=draft.judgement,
        alerts=through_updates(draft.alerts, draft.start, workload, surges=surges),
        prospect=_prospect(draft, around),
    )


def _prospect(draft: Draft, around: Surroundings) -> Prospect:
    place, gpus = draft.place, draft.layout.gpus
    machine = place.shape if place.pool or place.placing.compute_class else None
    price, share = place.pool.price if place.pool else None, gpus / place.shape.gpus
    region = around.site().cluster.region
    if place.alternatives:
        price, share = dearest_price(
            [(shape, pool.price if pool else None) for shape, pool in place.alternatives], gpus, region
        )
    elif place.pool is None:
        price, share = pod_price(place.shape.accelerator, gpus, region=region)
    fit = draft.judgement.fit
    load = fitting_load(draft.workload.load, fit.max_model_len if fit else None)
    told = len(around.workloads) <= MOST_TOLD
    return Prospect(
        subject=draft.subject,
        judgement=draft.judgement,
        load=load,
        price=price,
        share=share,
        machine=machine,
        told=told,
    )


def _engine(draft: Draft) -> EnginePlan:
    engine, contract, launch = draft.workload.engine, draft.resolved.contract, draft.judgement.launch
    tls = draft.access.tls
    assert launch is not None, "a workload without a command line is refused"
    return EnginePlan(
        kind=engine.kind,
        version=engine.version,
        contract=contract,
        image=draft.image,
        command=launch.command,
        argv=(*launch.argv, *(tls.args if tls else ()), *draft.lifecycle.drain_args),
        env=launch.env,
        env_sources=with_key(launch.env_sources, engine.kind, draft.access.key),
        key_source=draft.access.key,
    )
