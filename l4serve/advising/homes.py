"""The machines of an accelerator that pods could run on, and on how many of its cards."""

from l4serve.advising.candidates import Home, table
from l4serve.config.keys.node_pool import Provisioning
from l4serve.planning.machines.prices import MARKETS, gpu_machine_price
from l4serve.planning.machines.shapes import all_shapes


def card_counts(accelerator: str) -> tuple[int, ...]:
    """Tensor parallel sizes that leave no card of some machine over."""
    machines = {machine.gpus for machine in all_shapes(accelerator)}
    return tuple(count for count in table()["tensorParallel"] if any(not gpus % count for gpus in machines))


def homes_of(accelerator: str, provisioning: Provisioning, region: str | None) -> list[Home]:
    """The machines of an accelerator that are sold that way, with their prices where they are known."""
    market = MARKETS[provisioning]
    return [
        Home(
            shape=shape,
            usd_per_hour=price.usd_per_hour if price else None,
            price_date=price.date if price else None,
            most_replicas=None,
        )
        for shape in all_shapes(accelerator)
        for price in (gpu_machine_price(shape, region=region, market=market),)
        if shape.card_memory_gb is None and shape.sold(provisioning)
    ]
