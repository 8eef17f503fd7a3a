"""Machine shapes as an operator compares them: what a node leaves, what a pod may ask, prices, and stranded GPUs."""

from __future__ import annotations

from collections.abc import Sequence

from l4serve.config.frozen import frozen
from l4serve.planning.machines.allocatable import Allocatable, allocatable, pod_capacity
from l4serve.planning.machines.prices import Price, gpu_machine_price
from l4serve.planning.machines.shapes import MachineShape, all_shapes
from l4serve.planning.packing.machine_choice import Offer, cheapest_machine
from l4serve.planning.packing.placement import PodRequest, pods_per_node, stranded_gpus


@frozen(kw_only=True)
class PodFit:
    """How a given pod fits a node of the shape."""

    pods: int
    """Pods that one node holds; 0 when not even one fits."""
    gpus_stranded: int
    """GPUs of a full node that no such pod can take; all of them when none fits."""


@frozen(kw_only=True)
class ShapeRow:
    """One machine type."""

    shape: MachineShape
    node: Allocatable
    """Allocatable of a node, GKE's daemonsets included."""
    pods: tuple[Allocatable, ...]
    """What a pod of 1, 2, 4, ... GPUs may ask, as many as the node has."""
    on_demand: Price | None
    spot: Price | None
    fit: PodFit | None
    """None unless a pod was given."""
    cheapest: bool
    """Whether it is the cheapest machine type for the pod that was given."""


def shape_rows(offer: Offer, pod: PodRequest | None = None) -> tuple[ShapeRow, ...]:
    """Every shape of the offer's accelerator; with a pod, how it fits and which shape is cheapest for its replicas."""
    best = cheapest_machine([pod], offer) if pod else None
    return tuple(
        _row(shape, offer, pod, cheapest=best is not None and best.shape == shape)
        for shape in all_shapes(offer.accelerator)
    )


def gpu_counts(shapes: Sequence[MachineShape]) -> tuple[int, ...]:
    """GPU counts that a pod may ask for on any of the shapes: powers of two, as tensor parallelism wants."""
    most = max((shape.gpus for shape in shapes), default=0)
    return tuple(count for count in (1, 2, 4, 8, 16) if count <= most)


def _row(shape: MachineShape, offer: Offer, pod: PodRequest | None, *, cheapest: bool) -> ShapeRow:
    setup = offer.setup
    ssds = min(setup.local_ssds, shape.most_local_ssds)
    disk = setup.boot_disk_gib
    return ShapeRow(
        shape=shape,
        node=allocatable(shape, boot_disk_gib=disk, local_ssds=ssds),
        pods=tuple(
            pod_capacity(shape, count, boot_disk_gib=disk, local_ssds=ssds, features=setup.features)
            for count in gpu_counts([shape])
        ),
        on_demand=gpu_machine_price(shape, region=offer.region, market="on-demand", overrides=offer.overrides),
        spot=gpu_machine_price(shape, region=offer.region, market="spot", overrides=offer.overrides),
        fit=None if pod is None else _fit(pod, setup.node(shape)),
        cheapest=cheapest,
    )


def _fit(pod: PodRequest, node: Allocatable) -> PodFit:
    return PodFit(pods=pods_per_node(pod, node), gpus_stranded=stranded_gpus(pod, node))
