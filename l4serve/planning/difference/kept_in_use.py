"""What an update takes from a gateway that stays, while Google Cloud lets nothing go that a load balancer uses."""

from collections.abc import Iterator

from l4serve.planning.difference.stack_diff import Danger
from l4serve.planning.gke.gateway import GatewayPlan

_REFUSED = "which Google Cloud refuses while a load balancer uses it"


def kept_in_use(old: GatewayPlan | None, new: GatewayPlan | None) -> Iterator[Danger]:
    """The subnet and the address that go, or are made anew, under a gateway that stays."""
    if old is not None and new is not None:
        yield from _proxies(old, new)
        yield from _address(old, new)


def _proxies(old: GatewayPlan, new: GatewayPlan) -> Iterator[Danger]:
    """A subnet of proxies that goes, or gets another range."""
    if old.proxy_subnet is None:
        return
    goes = new.proxy_subnet is None
    if goes or old.proxy_cidr != new.proxy_cidr:
        what = f"the update {'deletes' if goes else 'replaces'} the proxies' subnet {old.proxy_cidr}"
        remedy = "keep it, or take expose away in an update before this one"
        told = f"{what}, {_REFUSED}, and the update fails; {remedy}"
        yield Danger("subnet in use", f"expose.{'makeProxyOnlySubnet' if goes else 'proxyOnlyCidr'}", told)


def _address(old: GatewayPlan, new: GatewayPlan) -> Iterator[Danger]:
    """An address of the stack that it gives back, or makes anew for another kind of gateway.

    One of the same name is deleted before the gateway changes; any other goes last, when GKE may not have moved the
    load balancer yet.
    """
    if not old.reserve_address:
        return
    if new.reserve_address and new.address == old.address:
        if old.public != new.public:
            what = f"the update replaces the address {old.address} before the gateway leaves it"
            told = f"{what}, {_REFUSED}, and the update fails; take expose away in an update before this one"
            yield Danger("address in use", "expose.to", told)
        return
    what = f"the update gives the address {old.address} back, {_REFUSED}"
    told = f"{what}: where the update fails at it, run it again once the gateway has its new address"
    yield Danger("address in use", "expose.address" if new.reserve_address else "expose.reserveAddress", told)
