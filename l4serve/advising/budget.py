"""What a budget pays: replicas on a machine, and the most that an autoscaler may make of them."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

from l4serve.advising.candidates import Candidate
from l4serve.advising.ranking import Wish
from l4serve.planning.machines.prices import dated
from l4serve.planning.values.edited import edited

MOST_REPLICAS = 1000
ROUNDING = 1e-9
"""Of a budget that is some machines' price: their sum may be a little less or more."""


def paid_replicas(candidate: Candidate, wish: Wish) -> int | None:
    """Replicas that a budget pays on machines of a candidate's kind; None without one, or without a price."""
    return None if wish.budget_usd_hour is None else bought(candidate, wish.budget_usd_hour)


def bought(candidate: Candidate, usd_hour: float) -> int | None:
    """Replicas that so much an hour pays on machines of a candidate's kind; None without a price."""
    home, one = candidate.home, candidate.pods_each
    if not home.usd_per_hour:
        return None
    machines = usd_hour / home.usd_per_hour + ROUNDING
    return min(MOST_REPLICAS, floor(machines * one) if home.shared else floor(machines) * one)


def over_budget(candidate: Candidate, wish: Wish) -> str | None:
    """Why a candidate costs more than the budget, with the fewest pods that its autoscaler keeps."""
    least = candidate.home.autoscaled[0] if candidate.home.autoscaled else 0
    most = edited(candidate, replicas=max(candidate.replicas, least))
    price = most.bill
    if wish.budget_usd_hour is None:
        return None
    if price is None:
        return "no price is known to hold against the budget"
    if price > wish.budget_usd_hour * (1 + ROUNDING):
        machines = f"{most.nodes} x {most.home.shape.name}"
        day = f" ({dated(most.home.price_date)})" if most.home.price_date else ""
        kept = f", as minReplicas {least} keeps them," if least > candidate.replicas else ""
        return f"{price:.2f} USD an hour for {machines}{day}{kept} are above the budget of {wish.budget_usd_hour:.2f}"
    return None


def most_autoscaled(candidate: Candidate, wish: Wish) -> int | None:
    """The maxReplicas by which the workload's own autoscaler keeps the budget; None where its own bound does, or where
    it has none."""
    paid, scaled = paid_replicas(candidate, wish), candidate.home.autoscaled
    return paid if paid is not None and scaled is not None and paid < scaled[1] else None


def whole_edit(candidate: Candidate, wish: Wish) -> Mapping[str, object]:
    """Every key that a candidate's workload gets, by which its stack is what was advised."""
    most = most_autoscaled(candidate, wish)
    return candidate.edit if most is None else {**candidate.edit, "autoscaling.maxReplicas": most}
