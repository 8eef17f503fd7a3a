"""Autopilot's minimum pod sizes, applied as requests so that its webhook finds nothing to change.

Figures, and how far each may be trusted: data/autopilot_sizes.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.planning.values.quantity import format_bytes, format_cpu, parse_bytes, parse_cpu

Basis = Literal["documented", "observed", "estimated"]


@frozen()
class Requests:
    """CPU, memory and ephemeral storage that a pod asks for; limits are written equal on Autopilot."""

    cpu_millis: int
    memory_bytes: int
    ephemeral_bytes: int


@frozen()
class AutopilotSize:
    """The smallest pod with so many GPUs of one accelerator."""

    accelerator: str
    gpus: int
    cpu_millis: int
    memory_bytes: int
    basis: Basis
    source: str


class AutopilotSizeError(ValueError):
    """Requests that Autopilot refuses, whatever is added to them."""


def sizes(accelerator: str) -> tuple[AutopilotSize, ...]:
    """The table's rows for an accelerator, by GPU count; empty when Autopilot's sizes are unknown."""
    rows: Mapping[int, Mapping[str, Any]] = load_data(__file__, "autopilot_sizes.yaml")["sizes"].get(accelerator, {})
    return tuple(
        AutopilotSize(
            accelerator=accelerator,
            gpus=gpus,
            cpu_millis=parse_cpu(row["cpu"]),
            memory_bytes=parse_bytes(row["memory"]),
            basis=row["basis"],
            source=row["source"],
        )
        for gpus, row in sorted(rows.items())
    )


def unknown_sizes(accelerator: str) -> str | None:
    """What nobody states of the accelerator's pods on Autopilot, as a note; None where the sizes are known."""
    if sizes(accelerator):
        return None
    if accelerator in load_data(__file__, "autopilot_sizes.yaml")["offered"]["accelerators"]:
        return f"no source states Autopilot's smallest pod with {accelerator}: it may raise the requests, and the price"
    return (
        f"no source says whether Autopilot offers {accelerator}: whether its nodes come shows when pods wait for them"
    )


def minimum_size(gpus: int, accelerator: str) -> AutopilotSize | None:
    """The row of a GPU count; None where no size of the accelerator is known.

    Raises AutopilotSizeError for a count that Autopilot does not offer.
    """
    known = sizes(accelerator)
    if not known:
        return None
    row = next((size for size in known if size.gpus == gpus), None)
    if row is None:
        offered = ", ".join(str(size.gpus) for size in known) or "none"
        raise AutopilotSizeError(
            f"Autopilot offers no pod with {gpus} {accelerator} GPUs (it offers {offered}); "
            "ask for one of these counts or use a Standard cluster"
        )
    return row


def adjust(requests: Requests, gpus: int, accelerator: str) -> Requests:
    """Requests raised to Autopilot's minimum, where it is known, and rounded up to its steps; what fits is unchanged.

    Raises AutopilotSizeError when the GPU count or the ephemeral storage cannot be had at all.
    """
    table = load_data(__file__, "autopilot_sizes.yaml")
    size = minimum_size(gpus, accelerator)
    least_cpu, least_memory = (size.cpu_millis, size.memory_bytes) if size else (0, 0)
    disk, steps = table["ephemeral"], table["steps"]
    maximum = parse_bytes(disk["maximum"])
    if requests.ephemeral_bytes > maximum:
        raise AutopilotSizeError(
            f"ephemeral storage {format_bytes(requests.ephemeral_bytes)} is above Autopilot's {disk['maximum']}; "
            "request less, or mount a volume"
        )
    floor = parse_bytes(disk["minimum"]) if requests.ephemeral_bytes else parse_bytes(disk["default"])
    return Requests(
        cpu_millis=_round_up(max(requests.cpu_millis, least_cpu), parse_cpu(steps["cpu"])),
        memory_bytes=_round_up(max(requests.memory_bytes, least_memory), parse_bytes(steps["memory"])),
        ephemeral_bytes=max(requests.ephemeral_bytes, floor),
    )


def changes(before: Requests, after: Requests) -> tuple[str, ...]:
    """What an adjustment raised, in words: `cpu 2 -> 21`, one entry for each resource that moved."""
    pairs = (
        ("cpu", format_cpu(before.cpu_millis), format_cpu(after.cpu_millis)),
        ("memory", format_bytes(before.memory_bytes), format_bytes(after.memory_bytes)),
        ("ephemeral-storage", format_bytes(before.ephemeral_bytes), format_bytes(after.ephemeral_bytes)),
    )
    return tuple(f"{name} {old} -> {new}" for name, old, new in pairs if old != new)


def _round_up(amount: int, step: int) -> int:
    return -(-amount // step) * step
