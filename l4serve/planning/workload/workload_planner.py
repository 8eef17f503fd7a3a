"""Finishes the plan of a drafted workload, once the room beside it is known: how it rolls out, and what it says."""

from functools import partial

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.machines.made_nodes import made_machine
from l4serve.planning.machines.prices import gpu_machine_price
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.values.names import shorten
from l4serve.planning.workload.alerting import through_updates
from l4serve.planning.workload.drafting import Draft, resources_of
from l4serve.planning.workload.hub_reads import reads_hub
from l4serve.planning.workload.judgement.prospect import MOST_TOLD, Prospect, fitting_load
from l4serve.planning.workload.judgement.subject import Subject
from l4serve.planning.workload.nodes.pod_price import dearest_price, pod_price
from l4serve.planning.workload.object_metadata import object_metadata
from l4serve.planning.workload.pods.start import deadline_seconds
from l4serve.planning.workload.reach.client_key import with_key
from l4serve.planning.workload.rollout import plan_rollout
from l4serve.planning.workload.scaling import following_start
from l4serve.planning.workload.scraping import scraped
from l4serve.planning.workload.served_model import plan_model
from l4serve.planning.workload.surroundings import Surroundings
from l4serve.planning.workload.workload_plan import (
    EnginePlan,
    ScalePlan,
    ServicePlan,
    WorkloadPlan,
)


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
    made = partial(_made, draft.name, around) if place.autopilot else None
    if made is not None and (machine := made(draft.subject)) is not None:
        price, share = gpu_machine_price(machine, region=region, market="on-demand"), 1.0
    elif place.alternatives:
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
        region=region,
        made=made,
        told=told,
    )


def _made(name: str, around: Surroundings, subject: Subject) -> MachineShape | None:
    """The machine that Autopilot makes for a pod of a workload, which has it to itself."""
    try:
        return made_machine(resources_of(name, subject, around).of_one_pod(), subject.card.name)
    except ConfigError:
        return None


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
