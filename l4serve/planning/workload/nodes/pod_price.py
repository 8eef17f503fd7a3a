"""What the machine of a pod costs, for the pod's share of it."""

from collections.abc import Sequence

from l4serve.planning.machines.prices import MARKETS, NO_OVERRIDES, Price, PriceOverrides, gpu_machine_price
from l4serve.planning.machines.shapes import MachineShape, all_shapes

DEFAULT_REGION = "us-central1"


def pod_price(
    accelerator: str,
    gpus: int,
    *,
    region: str | None = DEFAULT_REGION,
    provisioning: str = "on-demand",
    overrides: PriceOverrides = NO_OVERRIDES,
) -> tuple[Price | None, float]:
    """The cheapest machine by the pod's share of it, and that share; None where no price is known."""
    market = MARKETS[provisioning]  # type: ignore[index]
    offers = []
    for shape in all_shapes(accelerator):
        price = gpu_machine_price(shape, region=region, market=market, overrides=overrides)
        if price is not None and shape.sold(provisioning) and shape.gpus >= gpus and shape.gpus % gpus == 0:
            offers.append((price.usd_per_hour * gpus / shape.gpus, shape.gpus, price))
    if not offers:
        return None, 1.0
    _, of, price = min(offers, key=lambda offer: offer[:2])
    return price, gpus / of


def dearest_price(
    machines: Sequence[tuple[MachineShape, Price | None]], gpus: int, region: str | None
) -> tuple[Price | None, float]:
    """Of machines any of which may come, the price by which a pod's share costs most, and that share.

    A machine without a price of its own is one that GKE makes: it costs no more than on demand. None where no price is
    known.
    """
    offers = [
        (found.usd_per_hour / shape.gpus, gpus / shape.gpus, found)
        for shape, price in machines
        if (found := price or gpu_machine_price(shape, region=region, market="on-demand")) is not None
    ]
    _, share, dearest = max(offers, key=lambda offer: offer[0], default=(0.0, 1.0, None))
    return dearest, share
