"""The machine of a pool: a type that has its cards, or a host with the cards that the pool attaches."""

from __future__ import annotations

from l4serve.config.keys.node_pool import NodePool
from l4serve.config.refusals.problems import Problem
from l4serve.config.words.spelling import did_you_mean
from l4serve.planning.machines.card_machines import machines_of_card
from l4serve.planning.machines.machine_types import nearest_existing
from l4serve.planning.machines.shapes import (
    Attachable,
    MachineShape,
    all_shapes,
    attachable,
    find_shape,
    missing_figure,
)
from l4serve.planning.machines.system_machines import has_no_gpus


def pool_shape(path: str, config: NodePool) -> MachineShape | Problem:
    """The shape of a pool's machine, or what is wrong with its machine type and accelerator."""
    own = find_shape(config.machine_type)
    if own is not None:
        return own if config.accelerator is None else _own_cards(path, own)
    if (missing := missing_figure(config.machine_type)) is not None:
        return Problem(f"{path}.machineType", missing, f"use one of: {_known()}")
    takes = attachable(config.machine_type)
    if not takes:
        message = f"{config.machine_type!r} is not a known GPU machine type"
        return Problem(f"{path}.machineType", message, near_machines(config.machine_type))
    hosts = tuple(dict.fromkeys(host for each in takes for host in each.hosts))
    if config.machine_type not in hosts:
        message = f"{config.machine_type!r} is not a known machine type that takes GPUs"
        return Problem(f"{path}.machineType", message, _one_of(config.machine_type, hosts))
    if config.accelerator is None:
        message = f"{config.machine_type} has no GPU of its own"
        return Problem(f"{path}.accelerator", message, f"set accelerator: {{type: {takes[0].accelerator}, count: 1}}")
    return _attached(path, config, takes)


def _one_of(machine_type: str, known: tuple[str, ...]) -> str:
    """The remedy for a machine type that is none of those known: the nearest size of its class, else all of them."""
    meant = nearest_existing(machine_type)
    alike = meant in known and meant.rpartition("-")[0] == machine_type.rpartition("-")[0]
    return f"did you mean {meant}?" if alike else f"use one of: {', '.join(known)}"


def _own_cards(path: str, shape: MachineShape) -> Problem:
    message = f"{shape.machine_type} brings {shape.gpus} {shape.accelerator} of its own and takes no other"
    return Problem(f"{path}.accelerator", message, "remove accelerator")


def _attached(path: str, config: NodePool, takes: tuple[Attachable, ...]) -> MachineShape | Problem:
    assert config.accelerator is not None
    wanted, count = config.accelerator.type, config.accelerator.count
    card = next((one for one in takes if one.accelerator == wanted), None)
    if card is None:
        known = ", ".join(one.accelerator for one in takes)
        message = f"no source says that {wanted!r} attaches to {takes[0].family} machines"
        return Problem(f"{path}.accelerator.type", message, f"use one of: {known}")
    if count not in card.limits:
        message = (
            f"{card.family} machines take {', '.join(map(str, card.limits))} of {wanted}, and {count} are asked for"
        )
        return Problem(f"{path}.accelerator.count", message, f"use one of: {', '.join(map(str, card.limits))}")
    if config.machine_type not in card.hosts:
        message = f"{config.machine_type!r} is not a known machine type for {wanted}"
        return Problem(f"{path}.machineType", message, f"use one of: {', '.join(card.hosts)}")
    shape = find_shape(config.machine_type, (wanted, count))
    if shape is None:
        limit = card.limits[count]
        message = (
            f"{config.machine_type} is too large for {count} {wanted}: at most {limit.max_vcpus} vCPUs and "
            f"{limit.max_memory_gib} GB of memory"
        )
        return Problem(f"{path}.machineType", message, "use a smaller machine type, or raise accelerator.count")
    return shape


def near_machines(machine_type: str) -> str:
    """The remedy for an unknown machine type: those of its family, else what lists them."""
    family = [each for each in _machine_types() if each.rpartition("-")[0] == machine_type.rpartition("-")[0]]
    if family:
        return _one_of(machine_type, tuple(family))
    if of_card := machines_of_card(machine_type):
        return f"that is a card: {of_card}"
    if has_no_gpus(machine_type):
        return "use a machine type with GPUs, such as g2-standard-8; l4serve shapes lists all"
    near = did_you_mean(machine_type, _machine_types())
    return f"{near} l4serve shapes lists all" if near else "use a machine type that l4serve shapes lists"


def _machine_types() -> tuple[str, ...]:
    return tuple(dict.fromkeys(shape.machine_type for shape in all_shapes(None)))


def _known() -> str:
    return ", ".join(_machine_types())
