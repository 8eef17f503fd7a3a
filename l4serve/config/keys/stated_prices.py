"""Prices that a stack states itself, over those of the price table."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from l4serve.config.keys.base import ConfigModel

Usd = Annotated[float, Field(gt=0, le=1000)]


class Prices(ConfigModel):
    """USD per hour by machine type, for a contract's prices or a region that the table lacks."""

    on_demand: Mapping[str, Usd] = {}
    """USD per hour of on-demand and reserved machines, by machine type."""
    spot: Mapping[str, Usd] = {}
    """USD per hour of spot machines, by machine type."""
    flex_start: Mapping[str, Usd] = {}
    """USD per hour of flex-start machines, by machine type; the table knows none."""
