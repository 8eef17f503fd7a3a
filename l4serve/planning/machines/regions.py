"""Regions of Google Cloud. Table: data/regions.yaml, with its source."""

import re

from l4serve.config.data_file import load_data

_NUMBER = re.compile(r"\d+$")


def known_regions() -> tuple[str, ...]:
    """Every region that the table has, sorted."""
    return tuple(load_data(__file__, "regions.yaml")["regions"])


def may_be_a_region(region: str) -> bool:
    """Whether a name is a region, or differs from one by its number alone, as that of a region to come may."""
    areas = {_NUMBER.sub("", known) for known in known_regions()}
    return _NUMBER.sub("", region) in areas
