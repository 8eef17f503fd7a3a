"""Regions and zones of Google Cloud. Tables: data/regions.yaml and data/region_zones.yaml, with their sources."""

import re

from l4serve.config.data_file import load_data
from l4serve.config.words.spelling import did_you_mean, nearest
from l4serve.config.words.written_forms import written_location

_NUMBER = re.compile(r"\d+$")


def known_regions() -> tuple[str, ...]:
    """Every region that the table has, sorted."""
    return tuple(load_data(__file__, "regions.yaml")["regions"])


def may_be_a_region(region: str) -> bool:
    """Whether a name is a region, or differs from one by its number alone, as that of a region to come may."""
    areas = {_NUMBER.sub("", known) for known in known_regions()}
    return bool(_NUMBER.search(region)) and _NUMBER.sub("", region) in areas


def zones_of(region: str) -> tuple[str, ...]:
    """The zones of a region; empty for one that the table lacks."""
    table = load_data(__file__, "region_zones.yaml")
    letters = table["odd"].get(region, table["usual"]) if region in known_regions() else ()
    return tuple(f"{region}-{letter}" for letter in letters)


def meant_region(region: str) -> str | None:
    """The region that an unknown one means: in Google's writing (eu-west4), else the nearest; None without one near."""
    written = written_location(region)
    return written if written in known_regions() else nearest(region, known_regions())


def near_location(place: str) -> str | None:
    """The region or the zone that a text which is neither is spelt most like; None where none is alike."""
    begun = next((region for region in known_regions() if "-" in place and region.startswith(place)), None)
    return begun or nearest(place, [one for region in known_regions() for one in (region, *zones_of(region))])


def meant_zone(zone: str, region: str) -> str:
    """The remedy for a zone that is none of a region's: the nearest where its region is no region, else all of them."""
    known = zones_of(region)
    meant = "" if zone[:-2] in known_regions() else did_you_mean(zone, known)
    return meant or (f"use zones of {region}: {', '.join(known)}" if known else f"use zones of {region}")
