"""The subject of a configured workload's judgement: its contract, its layout and the card that it is judged on."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from l4serve.config.gathering import Step, gather, once
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import ConfigError, refuse
from l4serve.engines.gpu_layout import GpuLayout, gpu_layout
from l4serve.engines.releases.contract import contract_versions
from l4serve.engines.releases.resolution import ContractError, ResolvedContract, resolve_contract, stand_in
from l4serve.planning.machines.gpus import Gpu, card_of, find_gpu
from l4serve.planning.machines.shapes import default_accelerator
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.quantity import GIB, QuantityError, parse_bytes
from l4serve.planning.workload.judgement.subject import Subject
from l4serve.planning.workload.nodes.node_choice import Place, refuse_unknown_place
from l4serve.planning.workload.surroundings import Surroundings


def subject_of(name: str, workload: Workload, shape: Step[ModelShape | None], around: Surroundings) -> Subject:
    """What is judged of a workload; raises ConfigError for a layout, a release or a model that cannot be read, or
    a node pool or compute class that the stack does not define."""
    path = f"workloads.{name}"
    layout = once(partial(gpu_layout, path, workload))
    known_place = partial(refuse_unknown_place, path, workload, around.pools, around.classes)
    gather(layout, shape, partial(contract_of, path, workload), known_place)
    place = once(lambda: around.place_of(path, workload, layout().gpus))
    return judged_subject(workload, shape(), contract_of(path, workload), layout(), place, around)


def contract_of(path: str, workload: Workload) -> ResolvedContract:
    """The contract of a workload's release; raises ConfigError for a release that has none."""
    engine = workload.engine
    try:
        return resolve_contract(engine.kind, engine.version, engine.contract)
    except ContractError as error:
        with suppress(ContractError):
            if not engine.contract and (near := stand_in(engine.kind, engine.version)):
                lent = f"or name the release whose contract to apply as engine.contract, such as {near}"
                refuse(f"{path}.engine.version", f"{error}, {lent}")
        strange = engine.contract and engine.contract.removeprefix("v") not in contract_versions(engine.kind)
        refuse(f"{path}.engine.{'contract' if strange else 'version'}", str(error))


def judged_subject(
    workload: Workload,
    shape: ModelShape | None,
    resolved: ResolvedContract,
    layout: GpuLayout,
    place: Step[Place],
    around: Surroundings,
) -> Subject:
    """What is judged of a workload, on the card of its place, or on the likeliest where none can be planned."""
    subject = Subject(
        workload=workload,
        shape=shape,
        resolved=resolved,
        layout=layout,
        card=_card_without_place(workload, around.accelerators),
    )
    try:
        found = place()
    except ConfigError:
        return subject
    return replace(
        subject,
        card=card_of(found.shape) or subject.card,
        gpu_counts=found.gpu_counts,
        host_gib=_host_gib(workload, found, layout.gpus),
    )


def _host_gib(workload: Workload, place: Place, gpus: int) -> float | None:
    """The limit of memory that the pod states, else what its node can give it; None where it fits no node."""
    for stated in (workload.resources.limits, workload.resources.requests):
        with suppress(QuantityError):
            if stated.memory is not None:
                return parse_bytes(stated.memory) / GIB
    return place.capacity(gpus).memory_bytes / GIB if gpus <= place.shape.gpus else None


def _card_without_place(workload: Workload, of_pools: Mapping[str, str]) -> Gpu:
    """The card to judge on where the place cannot be planned: of the pool that is named, else the largest of all pools,
    so that a fault of a pool makes no other of its workloads."""
    named = of_pools.get(workload.node_pool or "")
    wanted = (named,) if named else tuple(of_pools.values()) or (default_accelerator(),)
    return max(map(_card_named, wanted), key=lambda card: card.total_gib)


def _card_named(accelerator: str) -> Gpu:
    """The card of an accelerator of the shape table."""
    card = find_gpu(accelerator)
    assert card is not None, f"the card table has every accelerator of the shape table, not {accelerator}"
    return card
