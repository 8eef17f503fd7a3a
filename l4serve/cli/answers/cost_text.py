"""What a stack costs: part by part, at its least, as planned and at its most, by the hour and by the month."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from l4serve.planning.stack.cost import HOURS_PER_MONTH, LEVELS, CostLine, StackCost

NOT_COUNTED = "disks, load balancers, traffic and logs"
NOT_STATED = "not stated"


def cost_table(cost: StackCost) -> Table:
    """One row for each part and two for their sums; a part whose price nobody states is in no sum."""
    table = Table("part", "USD/h each", "least", "planned", "most", title="Cost in USD", title_justify="left")
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for line in cost.lines:
        price = f"{line.price.usd_per_hour:.2f}" if line.price else NOT_STATED
        table.add_row(_named(line), price, *(_amount(line.usd(level)) for level in LEVELS))
    sums = [cost.at(level) for level in LEVELS]
    table.add_section()
    table.add_row(Text("per hour", style="bold"), "", *(_amount(usd.per_hour) for usd in sums))
    table.add_row(Text("per month", style="bold"), "", *(_amount(usd.per_month, 0) for usd in sums))
    return table


def cost_remarks(cost: StackCost) -> Iterator[str]:
    """From when the prices are, what the sums leave out, and what they depend on."""
    dated: dict[str, list[str]] = {}
    for line in cost.lines:
        if line.price:
            dated.setdefault(f"{line.price.date} ({line.price.region})", []).append(line.name)
    prices = "; ".join(f"{', '.join(names)}: {date}" for date, names in dated.items())
    if prices:
        yield f"prices of {prices}; a month has {HOURS_PER_MONTH} hours; {NOT_COUNTED} are not counted"
    if any(line.fewest < line.planned for line in cost.lines):
        least = "the least is the cost while no pod runs, each pool at its minNodes"
        yield f"{least}; running replicas cost the planned sum"
    if cost.unknown:
        yield f"the sums leave out {', '.join(cost.unknown)}: the price is unknown"
    for line in cost.lines:
        if line.note:
            yield f"{_named(line)}: {line.note}"


def _amount(usd: float | None, digits: int = 2) -> str:
    return NOT_STATED if usd is None else f"{usd:,.{digits}f}"


def _named(line: CostLine) -> str:
    return f"{line.name} ({line.machine_type}, {line.market})" if line.machine_type else line.name
