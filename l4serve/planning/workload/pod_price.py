"""What the machine of a pod costs, for the pod's share of it."""

from l4serve.planning.machines.prices import MARKETS, NO_OVERRIDES, Price, PriceOverrides, gpu_machine_price
from l4serve.planning.machines.shapes import all_shapes

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
