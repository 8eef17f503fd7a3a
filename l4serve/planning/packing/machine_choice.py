"""The machine types a workload could run on, with what each strands and costs, and the cheapest of them."""

from __future__ import annotations

from collections.abc import Sequence

from l4serve.config.frozen import frozen
from l4serve.planning.machines.prices import NO_OVERRIDES, Market, Price, PriceOverrides, gpu_machine_price
from l4serve.planning.machines.shapes import MachineShape, all_shapes
from l4serve.planning.packing.bins import Item, pack
from l4serve.planning.packing.node_setup import DEFAULT_SETUP, NodeSetup
from l4serve.planning.packing.placement import (
    PodRequest,
    PoolRoom,
    kinds_of,
    pods_per_node,
    stranded_gpus,
)


@frozen(kw_only=True)
class Offer:
    """How machines are had: where, in which market, with what beside their type."""

    accelerator: str
    cards: int | None = None
    """GPUs per machine; None takes any number."""
    region: str | None = None
    market: Market = "on-demand"
    setup: NodeSetup = DEFAULT_SETUP
    overrides: PriceOverrides = NO_OVERRIDES


@frozen(kw_only=True)
class MachineOption:
    """One machine type for a set of pods."""

    shape: MachineShape
    nodes: int
    """Nodes that hold all replicas."""
    gpus_stranded: int
    """GPUs per full node that no pod can take; of the most wasteful workload where there are several."""
    price: Price | None
    """Price of one node; None where it is not known."""

    @property
    def usd_per_hour(self) -> float | None:
        """Price of all the nodes."""
        return None if self.price is None else round(self.price.usd_per_hour * self.nodes, 4)


def machine_options(pods: Sequence[PodRequest], offer: Offer) -> tuple[MachineOption, ...]:
    """Every machine type on which one node holds at least one pod of each workload, cheapest first.

    Types without a known price come last, the ones with fewer GPUs and vCPUs first.
    """
    wanted = (shape for shape in all_shapes(offer.accelerator) if offer.cards in (None, shape.gpus))
    found = (_option(pods, shape, offer) for shape in wanted)
    return tuple(sorted((option for option in found if option), key=_cost))


def cheapest_machine(pods: Sequence[PodRequest], offer: Offer) -> MachineOption | None:
    """The cheapest machine type that holds all replicas; None when a pod fits none of them."""
    return next(iter(machine_options(pods, offer)), None)


def _option(pods: Sequence[PodRequest], shape: MachineShape, offer: Offer) -> MachineOption | None:
    replicas = sum(pod.replicas for pod in pods)
    room = PoolRoom(name="candidate", shape=shape, max_nodes=replicas, setup=offer.setup)
    if any(pods_per_node(pod, room.node) == 0 for pod in pods):
        return None
    items = kinds_of(pods)
    packing = pack(items, room.vector, replicas)
    if packing is None:
        return None
    return MachineOption(
        shape=shape,
        nodes=_fewest(items, room, packing.used()),
        gpus_stranded=max((stranded_gpus(pod, room.node) for pod in pods), default=0),
        price=gpu_machine_price(shape, region=offer.region, market=offer.market, overrides=offer.overrides),
    )


def _fewest(items: Sequence[Item], room: PoolRoom, enough: int) -> int:
    """The smallest number of nodes that still packs, from one that does downwards."""
    while enough > 1 and pack(items, room.vector, enough - 1) is not None:
        enough -= 1
    return enough


def _cost(option: MachineOption) -> tuple[bool, float, int, int]:
    known = option.usd_per_hour
    return (known is None, known or 0.0, option.shape.gpus * option.nodes, option.shape.vcpus * option.nodes)
