"""List prices of machines per hour; a config may override each.

Figures: data/catalogue_prices.json, which `scripts/refresh_prices.py` writes, and data/prices.yaml for what it lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.node_pool import Provisioning
from l4serve.config.keys.stated_prices import Prices
from l4serve.planning.machines.shapes import MachineShape, all_shapes, find_shape

_STATED = "as configured"
Market = Literal["on-demand", "spot", "flex-start"]
MARKETS: Mapping[Provisioning, Market] = {
    "on-demand": "on-demand",
    "reservation": "on-demand",
    "spot": "spot",
    "flex-start": "flex-start",
}
"""Market that a way of provisioning pays in: a reservation is paid for as on demand."""
_COLUMN: Mapping[Market, int] = {"on-demand": 0, "spot": 1}
"""Column of a market in the table; flex-start has prices of its own, which no public table states."""


@frozen()
class Price:
    """What one machine costs per hour, and how far that figure holds."""

    usd_per_hour: float
    market: Market
    region: str
    date: str
    source: str

    @property
    def dated(self) -> str:
        """Its day in words, such as `price of 2026-08-03`."""
        return dated(self.date)


def dated(date: str) -> str:
    """The day of a price in words; one that the config states has none."""
    return f"price {date}" if date == _STATED else f"price of {date}"


@frozen()
class PriceOverrides:
    """Prices that a stack states itself, by machine type, in USD per hour."""

    by_market: Mapping[Market, Mapping[str, float]]

    def of(self, machine_type: str, market: Market) -> float | None:
        """The stated price of a machine type, or None."""
        return self.by_market.get(market, {}).get(machine_type)


NO_OVERRIDES = PriceOverrides({})


def stated_prices(config: Prices) -> PriceOverrides:
    """The prices of a stack's config."""
    return PriceOverrides({"on-demand": config.on_demand, "spot": config.spot, "flex-start": config.flex_start})


def hourly(
    machine_type: str, *, region: str | None, market: Market, overrides: PriceOverrides = NO_OVERRIDES
) -> Price | None:
    """The price of one machine, or None where neither the config nor the table knows it: never a guess."""
    shape = find_shape(machine_type)
    if shape is not None:
        return gpu_machine_price(shape, region=region, market=market, overrides=overrides)
    return plain_machine_price(machine_type, region=region, market=market, overrides=overrides)


def plain_machine_price(
    machine_type: str, *, region: str | None, market: Market, overrides: PriceOverrides = NO_OVERRIDES
) -> Price | None:
    """As `hourly`, of a machine type without cards."""
    stated = overrides.of(machine_type, market)
    if stated is not None:
        return _stated(stated, market, region)
    return None if region is None else _plain_machine(machine_type, region, market)


def gpu_machine_price(
    shape: MachineShape, *, region: str | None, market: Market, overrides: PriceOverrides = NO_OVERRIDES
) -> Price | None:
    """As `hourly`, of a machine whose shape is known, with the cards that are attached to it."""
    stated = overrides.of(shape.machine_type, market)
    if stated is not None:
        return _stated(stated, market, region)
    column = _COLUMN.get(market)
    if region is None or column is None:
        return None
    return next(filter(None, (find(shape, region, market, column) for find in _TABLES)), None)


def _stated(usd_per_hour: float, market: Market, region: str | None) -> Price:
    return Price(usd_per_hour, market, region or "any", _STATED, "prices of the stack's config")


def priced_regions(accelerator: str) -> tuple[str, ...]:
    """Regions whose prices the table has for an accelerator's machines, sorted."""
    table = load_data(__file__, "prices.yaml")
    regions = set(table["attached"]["cards"].get(accelerator, ()))
    for family in table["machinesPerGpu"]["families"].values():
        if family["accelerator"] == accelerator:
            regions.update(family["regions"])
    types = {shape.machine_type for shape in all_shapes(accelerator) if not shape.attached}
    catalogue = load_data(__file__, "catalogue_prices.json")["regions"]
    return tuple(sorted(regions | {region for region, row in catalogue.items() if types & row.keys()}))


def cluster_fee() -> float:
    """GKE's management fee for one cluster in USD per hour."""
    return float(load_data(__file__, "prices.yaml")["clusterFee"]["usdPerHour"])


def cluster_fee_date() -> str:
    """The day from which that fee holds."""
    return str(load_data(__file__, "prices.yaml")["clusterFee"]["date"])


def _catalogued(machine_type: str, region: str, market: Market, column: int) -> Price | None:
    """The catalogue's own row of a machine type, without cards that are attached to it."""
    table = load_data(__file__, "catalogue_prices.json")
    row = table["regions"].get(region, {}).get(machine_type)
    if row is None or row[column] is None:
        return None
    source = table["source"]
    where = f"{source['repository']} {source['path']} at {source['commit'][:8]}"
    return Price(round(row[column], 4), market, region, source["date"], where)


def _with_its_cards(shape: MachineShape, region: str, market: Market, column: int) -> Price | None:
    """A machine type that brings its cards."""
    return None if shape.attached else _catalogued(shape.machine_type, region, market, column)


def _whole_machine(shape: MachineShape, region: str, market: Market, column: int) -> Price | None:
    """The machine type's own row, else that of its series at so much for each GPU."""
    table = load_data(__file__, "prices.yaml")
    families = table["machinesPerGpu"]["families"]
    family = families.get(shape.machine_type) or families.get(shape.machine_type.rsplit("-", 1)[0])
    if family is None:
        return None
    row = family["regions"].get(region)
    if row is None or row[column] is None:
        return None
    return Price(round(row[column] * shape.gpus, 4), market, region, table["date"], table["source"])


def _host_and_attached(shape: MachineShape, region: str, market: Market, column: int) -> Price | None:
    if not shape.attached:
        return None
    table = load_data(__file__, "prices.yaml")
    attached = table["attached"]
    host = _catalogued(shape.machine_type, region, market, column)
    card = attached["cards"].get(shape.accelerator, {}).get(region)
    if host is None or card is None:
        return None
    amount = host.usd_per_hour + card[column] * shape.gpus
    date, source = f"host {host.date}, card {table['date']}", f"host: {host.source}; {attached['source']}"
    return Price(round(amount, 4), market, region, date, source)


_TABLES = (_with_its_cards, _whole_machine, _host_and_attached)


def _plain_machine(machine_type: str, region: str, market: Market) -> Price | None:
    column = _COLUMN.get(market)
    return None if column is None else _catalogued(machine_type, region, market, column)
