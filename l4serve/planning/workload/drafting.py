"""Drafts one workload by itself: layout, place, resources, command line, probes and judgement."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial

from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step, first_of_each_path, gather, once, refuse_all
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.engines.gpu_layout import GpuLayout, gpu_layout
from l4serve.engines.key_shown import shown_key
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.resolution import ResolvedContract
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.models.purpose import Purpose
from l4serve.planning.workload.access import Access, plan_access
from l4serve.planning.workload.alerting import AlertsPlan, alert_notes, plan_alerts
from l4serve.planning.workload.judgement.alike import judge_alike
from l4serve.planning.workload.judgement.judged_subject import contract_of, judged_subject
from l4serve.planning.workload.judgement.judging import Judgement
from l4serve.planning.workload.judgement.subject import Subject
from l4serve.planning.workload.nodes.node_choice import Place
from l4serve.planning.workload.nodes.node_drivers import driver_problems
from l4serve.planning.workload.nodes.place_notes import place_notes
from l4serve.planning.workload.object_metadata import taken_labels
from l4serve.planning.workload.pods.host_room import files_gib, host_notes, pod_needs, weight_files_gib
from l4serve.planning.workload.pods.lifecycle import Lifecycle, ending_notes, longest_grace, plan_lifecycle
from l4serve.planning.workload.pods.pod_resources import PlannedResources, PodResources, planned_resources
from l4serve.planning.workload.pods.start import StartPlan, plan_start
from l4serve.planning.workload.pods.storage import StoragePlan, plan_storage, sidecar_requests
from l4serve.planning.workload.reach.client_key import key_in_plain_text, open_despite_key
from l4serve.planning.workload.scaling import AutoscalingPlan, plan_autoscaling
from l4serve.planning.workload.surroundings import Surroundings


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


@frozen(kw_only=True)
class _PodSteps:
    """Where a pod lies and what it has there; each step refuses what is its own."""

    layout: Step[GpuLayout]
    place: Step[Place]
    files: Step[float | None]
    """GiB of the weights as files."""
    storage: Step[StoragePlan]
    resources: Step[PlannedResources]
    host: Step[tuple[str, ...]]
    """Warnings about what it has beside its GPUs."""


def _pod_steps(
    path: str, name: str, workload: Workload, shape: Step[ModelShape | None], around: Surroundings
) -> _PodSteps:
    layout = once(partial(gpu_layout, path, workload))
    place = once(lambda: around.place_of(path, workload, layout().gpus))
    needs = once(lambda: pod_needs(workload, layout(), shape()))
    sidecar = once(lambda: sidecar_requests(workload, files_gib(workload, layout(), shape(), place().shape)))
    files = once(lambda: weight_files_gib(workload, layout(), shape()))
    storage = once(
        lambda: plan_storage(
            path,
            workload.renamed_from or name,
            workload,
            place(),
            around.site().cluster,
            checkpoint_gib=files(),
            sidecar=sidecar(),
        )
    )
    resources = once(lambda: planned_resources(path, workload, layout().gpus, place(), needs(), sidecar()))
    host = once(lambda: host_notes(path, workload, needs(), place(), resources().resources))
    return _PodSteps(layout=layout, place=place, files=files, storage=storage, resources=resources, host=host)


def resources_of(name: str, subject: Subject, around: Surroundings) -> PodResources:
    """What a pod of a workload would ask for as this subject; raises ConfigError where it cannot be had."""
    pod = _pod_steps(f"workloads.{name}", name, subject.workload, lambda: subject.shape, around)
    return pod.resources().resources


def draft_workload(
    name: str, workload: Workload, shape: Step[ModelShape | None], around: Surroundings, known: Subject | None = None
) -> Draft:
    """What is known of one workload, and of its subject where that is; raises ConfigError with every problem of it."""
    path = f"workloads.{name}"
    pod = _pod_steps(path, name, workload, shape, around)
    resolved = once(partial(contract_of, path, workload))
    subject = once(lambda: known or judged_subject(workload, shape(), resolved(), pod.layout(), pod.place, around))
    cluster = once(lambda: around.site().cluster)
    judgement = once(lambda: _judged(path, subject()))
    contract = once(lambda: resolved().contract)
    reached = partial(plan_access, name, workload, around, contract=contract, judgement=judgement)
    access = once(lambda: reached(storage=pod.storage, subject=subject))
    scaling = once(lambda: _scaling(name, workload, contract(), shape(), cluster()))
    image = once(lambda: workload.engine.image or contract().image)
    start = once(lambda: plan_start(workload, pod.place().pool, image(), pod.files(), pod.layout().gpus))
    alerts = once(lambda: plan_alerts(name, workload, contract(), around, start, lambda: subject().purpose))
    labels = partial(refuse_all, taken_labels(path, workload))
    drivers = once(lambda: refuse_all(driver_problems(path, workload, contract(), pod.place(), cluster())))
    try:
        gather(
            partial(gather, labels, access, alerts),
            pod.storage,
            pod.host,
            judgement,
            partial(gather, drivers, scaling),
            around.secret,
        )
    except ConfigError as error:
        raise ConfigError(_unanswered(path, tuple(first_of_each_path(error.problems)))) from None
    notes = (
        *_notes(subject(), judgement(), pod.resources(), pod.host()),
        *place_notes(workload, contract(), pod.place(), cluster()),
        *ending_notes(plan_lifecycle(workload, contract(), start(), spot=False)),
        *pod.storage().notes,
        *alert_notes(workload, contract(), around),
    )
    return Draft(
        name=name,
        workload=workload,
        shape=shape(),
        resolved=resolved(),
        layout=pod.layout(),
        place=pod.place(),
        resources=pod.resources().resources,
        storage=pod.storage(),
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
