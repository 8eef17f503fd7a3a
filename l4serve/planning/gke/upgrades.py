"""How GKE replaces a pool's nodes in an upgrade, safe where spare GPUs may not be had."""

from __future__ import annotations

from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.config.keys.node_pool import NodePool


@frozen(kw_only=True)
class UpgradePlan:
    """Upgrade settings; the figures of the other strategy are None."""

    strategy: Literal["SURGE", "BLUE_GREEN", "SHORT_LIVED"]
    max_surge: int | None = None
    max_unavailable: int | None = None
    batch_nodes: int | None = None
    batch_soak_seconds: int | None = None
    pool_soak_seconds: int | None = None
    pdb_timeout_seconds: int
    """How long a drain waits for a PodDisruptionBudget, in seconds."""


def plan_upgrade(config: NodePool) -> UpgradePlan:
    """Return the upgrade settings.

    Flex-start nodes end by themselves, so their pools upgrade by waiting (SHORT_LIVED). A surge needs a spare GPU
    node: where reservations or compact placement bound the stock, the default gives up one node instead.
    """
    upgrade = config.upgrade
    timeout = upgrade.pdb_timeout_seconds
    if config.effective_provisioning == "flex-start":
        return UpgradePlan(strategy="SHORT_LIVED", pdb_timeout_seconds=timeout)
    if upgrade.strategy == "blue-green":
        return UpgradePlan(
            strategy="BLUE_GREEN",
            batch_nodes=upgrade.batch_nodes,
            batch_soak_seconds=upgrade.batch_soak_seconds,
            pool_soak_seconds=upgrade.pool_soak_seconds,
            pdb_timeout_seconds=timeout,
        )
    bounded = config.effective_provisioning == "reservation" or config.placement is not None
    surge = upgrade.max_surge
    if surge is None:
        surge = 0 if bounded or upgrade.max_unavailable else 1
    unavailable = upgrade.max_unavailable if upgrade.max_unavailable is not None else int(surge == 0)
    return UpgradePlan(strategy="SURGE", max_surge=surge, max_unavailable=unavailable, pdb_timeout_seconds=timeout)
