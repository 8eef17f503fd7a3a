"""Which machine types Compute Engine has: those that the catalogue of prices bills, and custom ones by their rules.

Figures: data/catalogue_prices.json (`series`), and data/custom_machines.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.words.spelling import nearest

_PREDEFINED = re.compile(r"([a-z]+)(?:-(\d+))?(.*)")
_CUSTOM = re.compile(r"(?:([a-z0-9]+)-)?custom-([a-z]+|\d+)-(\d+)(-ext)?")
_USUAL = "standard"
_SHARED_CPUS = 1


@frozen()
class CustomMachine:
    """What a custom machine type asks for."""

    series: str
    cpus: int
    """vCPUs; those of a shared core count as one, of which GKE hands out 940m."""
    mib: int
    core: str = ""
    """Kind of the shared core, such as medium; empty for whole cores."""
    extended: bool = False

    @property
    def name(self) -> str:
        """The machine type as Compute Engine writes it."""
        return f"{self.series}-custom-{self.core or self.cpus}-{self.mib}{'-ext' if self.extended else ''}"


def knows_series(machine_type: str) -> bool:
    """Whether the machine types of its series are known."""
    return _series_of(machine_type) in _series()


def nearest_existing(machine_type: str) -> str | None:
    """The machine type nearest to one that no known series has; None where it exists, or its series is not known."""
    if not knows_series(machine_type) or machine_type in _series()[_series_of(machine_type)]:
        return None
    custom = custom_machine(machine_type)
    if custom is None or custom.series not in _table()["custom"]:
        return _nearest_predefined(machine_type)
    allowed = _nearest_custom(custom)
    return None if allowed is None or _same(allowed, custom) else allowed.name


def custom_machine(machine_type: str) -> CustomMachine | None:
    """What the name of a custom machine type asks for; None for any other name. One without a series is an N1."""
    parts = _CUSTOM.fullmatch(machine_type)
    if parts is None:
        return None
    series, cores, mib, extended = parts.groups()
    shared = not cores.isdigit()
    return CustomMachine(
        series=series or "n1",
        cpus=_SHARED_CPUS if shared else int(cores),
        mib=int(mib),
        core=cores if shared else "",
        extended=bool(extended),
    )


def _nearest_custom(asked: CustomMachine) -> CustomMachine | None:
    """The custom machine nearest to what is asked for; None where no rule of its series is known."""
    rule = _table()["custom"][asked.series]
    if rule is None:
        return None
    if asked.core:
        shared = rule.get("shared", {})
        core = asked.core if asked.core in shared else nearest(asked.core, shared) or next(reversed(shared), "")
        if core:
            return _with_memory(asked.series, _SHARED_CPUS, core, asked, *shared[core])
    cpus = _closest(asked.cpus, [count for first, last, step in rule["cpus"] for count in range(first, last + 1, step)])
    least, most = (cpus * mib for mib in rule["mibPerCpu"])
    extended = rule.get("extendedGib", 0) * 1024
    most = extended if asked.mib > most and extended else min(most, rule.get("mostGib", most) * 1024)
    return _with_memory(asked.series, cpus, "", asked, least, most, over=cpus * rule["mibPerCpu"][1])


def _with_memory(
    series: str, cpus: int, core: str, asked: CustomMachine, least: int, most: int, *, over: int | None = None
) -> CustomMachine:
    """The machine with the memory that is asked for, as far as it is allowed: whole steps between two bounds."""
    step = _table()["mibStep"]
    mib = min(max(_up(asked.mib, step), _up(least, step)), most // step * step)
    return CustomMachine(series, cpus, mib, core, extended=over is not None and mib > over)


def _same(allowed: CustomMachine, asked: CustomMachine) -> bool:
    """Whether it is the same machine: one that needs no extended memory may still be named with it."""
    return (allowed.cpus, allowed.mib, allowed.core) == (asked.cpus, asked.mib, asked.core) and (
        asked.extended or not allowed.extended
    )


def _nearest_predefined(machine_type: str) -> str:
    series = _series_of(machine_type)
    names = [name for name in _series()[series] if not name.endswith("-metal")] or list(_series()[series])
    custom = custom_machine(machine_type)
    kind, size, rest = (_USUAL, custom.cpus, "") if custom else _parts(machine_type)
    kinds = {_parts(name)[0] for name in names}
    kind = kind if kind in kinds else nearest(kind, kinds) or _USUAL

    def far(name: str) -> tuple[bool, bool, int, int]:
        own, count, tail = _parts(name)
        return own != kind, tail != rest, abs(count - size), -count

    return min(names, key=far)


def _parts(machine_type: str) -> tuple[str, int, str]:
    """Class, size and what follows of a machine type; a size of 0 where it names none."""
    parts = _PREDEFINED.match(machine_type.partition("-")[2])
    kind, size, rest = parts.groups() if parts else ("", None, "")
    return kind, int(size or 0), rest


def _series_of(machine_type: str) -> str:
    first = machine_type.partition("-")[0]
    return "n1" if first == "custom" else first


def _closest(wanted: int, counts: Sequence[int]) -> int:
    return min(counts, key=lambda count: (abs(count - wanted), -count))


def _up(mib: int, step: int) -> int:
    return -(-mib // step) * step


@cache
def _series() -> Mapping[str, Iterable[str]]:
    return {name: frozenset(types) for name, types in load_data(__file__, "catalogue_prices.json")["series"].items()}


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "custom_machines.yaml")
    return table
