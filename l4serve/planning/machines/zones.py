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


def zones_are_complete(accelerator: str) -> bool:
    """Whether the list names every zone of the accelerator, so that a zone beside it has none."""
    return accelerator in _table()["complete"]


def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "accelerator_zones.yaml")
    return table
