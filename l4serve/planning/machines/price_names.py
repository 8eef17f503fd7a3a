"""Machine types that a stack states prices of by a name that is none."""

from collections.abc import Iterator
from functools import cache

from l4serve.config.data_file import load_data
from l4serve.config.keys.stated_prices import Prices
from l4serve.config.refusals.problems import Problem
from l4serve.config.words.spelling import by_number, nearest
from l4serve.planning.machines.shapes import gpu_machine_types

_ALIKE = 0.9
"""Share of equal letters from which an unknown type of a known series is that series' misspelt one."""


def misspelt_prices(prices: Prices) -> Iterator[Problem]:
    """A problem for each price that would be passed over, since its machine type is a known one misspelt."""
    stated = {"onDemand": prices.on_demand, "spot": prices.spot, "flexStart": prices.flex_start}
    for key, by_type in stated.items():
        for name in by_type:
            near = None if name in _known_types() else nearest(name, _known_types(), alike=_ALIKE)
            # Another series is another machine, which may be newer than the table.
            if near is not None and near.partition("-")[0] == name.partition("-")[0]:
                message = f"there is no machine type {name!r}, so the price would apply to nothing"
                yield Problem(f"prices.{key}.{name}", message, _meant(name, near))


def _meant(name: str, near: str) -> str:
    """The nearest type, or all of its size's series where the number alone is wrong, which is like no other."""
    series = name.rstrip("0123456789")
    if near.rstrip("0123456789") != series:
        return f"did you mean {near}?"
    return f"give one of {', '.join(by_number(one for one in _known_types() if one.startswith(series)))}"


@cache
def _known_types() -> frozenset[str]:
    regions = load_data(__file__, "catalogue_prices.json")["regions"]
    return gpu_machine_types().union(*regions.values())
