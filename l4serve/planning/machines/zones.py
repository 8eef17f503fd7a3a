"""Zones that have an accelerator. Table: data/accelerator_zones.yaml, with its sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from l4serve.config.data_file import load_data


def accelerator_zones(accelerator: str, region: str) -> tuple[str, ...]:
    """Zones of a region that a source names for the accelerator, in the table's order; empty when none does."""
    suffixes = _table()["zones"].get(accelerator, {}).get(region, ())
    return tuple(f"{region}-{suffix}" for suffix in suffixes)


def accelerator_regions(accelerator: str) -> tuple[str, ...]:
    """Regions where a source names the accelerator, sorted."""
    return tuple(sorted(_table()["zones"].get(accelerator, {})))


def accelerator_locations(accelerator: str) -> tuple[str, ...]:
    """Regions where a source names the accelerator, and their zones that it names."""
    regions = accelerator_regions(accelerator)
    return tuple(place for region in regions for place in (region, *accelerator_zones(accelerator, region)))


def near_locations(accelerator: str, region: str, *, zones: bool) -> tuple[str, ...]:
    """Where a source names the accelerator: zones of the region, else regions of its continent, else of one beside.

    The first zone of each region where zones are asked for.
    """
    if own := accelerator_zones(accelerator, region):
        return own
    continent = region.partition("-")[0]
    regions = accelerator_regions(accelerator)
    near = [one for one in regions if one.startswith(f"{continent}-")]
    beside = _table()["beside"].get(continent, ())
    near = near or [one for one in regions if one.partition("-")[0] in beside] or list(regions)
    return tuple(accelerator_zones(accelerator, one)[0] for one in near) if zones else tuple(near)


def zones_are_complete(accelerator: str) -> bool:
    """Whether the list names every zone of the accelerator, so that a zone beside it has none."""
    return accelerator in _table()["complete"]


def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "accelerator_zones.yaml")
    return table
