"""GPUs as their driver reports them, from `data/gpus.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.values.quantity import GIB

GB = 10**9


@frozen(kw_only=True)
class Gpu:
    """One card. Sizes are in GiB as CUDA reports them; `context_gib` is taken before an engine has loaded anything;
    `fp16_tflops` is what TGI assumes of the card. `total_gib` is the most that was seen of such a card and
    `lowest_total_gib` the least: drivers and hosts differ."""

    name: str
    total_gib: float
    lowest_total_gib: float
    compute_capability: tuple[int, int]
    context_gib: float
    fp16_tflops: float | None
    link: str | None
    """What joins the cards of one machine, NVLink or PCIe; None where nobody plans several."""
    source: str

    @property
    def at_lowest(self) -> Gpu:
        """The card with the least memory that was seen of it."""
        return self.with_total(self.lowest_total_gib)

    def with_total(self, total_gib: float) -> Gpu:
        """The card with a total that somebody measured, which leaves no range."""
        return _with_total(self, total_gib)


@lru_cache(maxsize=256)
def _with_total(gpu: Gpu, total_gib: float) -> Gpu:
    return replace(gpu, total_gib=total_gib, lowest_total_gib=total_gib)


@cache
def all_gpus() -> dict[str, Gpu]:
    """Every known card by name."""
    return {name: _gpu(name, entry) for name, entry in load_data(__file__, "gpus.yaml")["gpus"].items()}


def _gpu(name: str, entry: Mapping[str, Any]) -> Gpu:
    major, minor = entry["computeCapability"].split(".")
    lowest, highest = entry["totalGib"]
    return Gpu(
        name=name,
        total_gib=float(highest),
        lowest_total_gib=float(lowest),
        compute_capability=(int(major), int(minor)),
        context_gib=float(entry["contextGib"]),
        fp16_tflops=entry["fp16Tflops"],
        link=entry["link"],
        source=entry["source"],
    )


def find_gpu(name: str) -> Gpu | None:
    """The card that GKE calls by this accelerator name, or None."""
    return all_gpus().get(name.lower())


def card_of(shape: MachineShape) -> Gpu | None:
    """The card of a machine. A fraction has the memory of its machine type, read as GB at the least and as GiB at the
    most, since nobody has published what a driver reports of it."""
    card = find_gpu(shape.accelerator)
    if card is None or shape.card_memory_gb is None:
        return card
    return replace(card, total_gib=float(shape.card_memory_gb), lowest_total_gib=shape.card_memory_gb * GB / GIB)
