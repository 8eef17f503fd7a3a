"""Prices that a stack states itself, over those of the price table."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from l4serve.config.base import ConfigModel

Usd = Annotated[float, Field(gt=0, le=1000)]


class Prices(ConfigModel):
    """USD per hour by machine type, for a contract's prices or a region that the table lacks."""

    on_demand: Mapping[str, Usd] = {}
    """On-demand and reserved machines, USD per hour."""
    spot: Mapping[str, Usd] = {}
    """Spot machines, USD per hour."""
    flex_start: Mapping[str, Usd] = {}
    """Flex-start machines, USD per hour; the table knows none."""
