"""Zones that have an accelerator. Table: data/accelerator_zones.yaml, with its source and date."""

from __future__ import annotations

from l4serve.config.data_file import load_data


def accelerator_zones(accelerator: str, region: str) -> tuple[str, ...]:
    """Zones of a region that offer the accelerator, in the table's order; empty when it has none."""
    suffixes = load_data(__file__, "accelerator_zones.yaml")["zones"].get(accelerator, {}).get(region, ())
    return tuple(f"{region}-{suffix}" for suffix in suffixes)


def accelerator_regions(accelerator: str) -> tuple[str, ...]:
    """Regions that offer the accelerator somewhere, sorted."""
    return tuple(sorted(load_data(__file__, "accelerator_zones.yaml")["zones"].get(accelerator, {})))
