"""The NVIDIA driver that GKE installs on nodes, as far as Google's table of versions says."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.gke.versions import version_of


@frozen()
class NodeDriver:
    """The branch of the driver on nodes."""

    least: int
    known: int | None
    """None where the table does not say it."""


def node_driver(cluster: ClusterPlan, pool: PoolPlan | None, accelerator: str) -> NodeDriver | None:
    """The driver on nodes of a pool, or of Autopilot without one; None where the user installs it.

    A cluster without a stated version has one that its channel chooses, and drivers that nobody knows before.
    """
    software = pool.software if pool else None
    system = software.image_type if software else "COS_CONTAINERD"
    asked = software.driver_version if software else "DEFAULT"
    table = _table()
    if asked not in table["least"][system]:
        return None
    stated = version_of(cluster.managed.min_version if cluster.managed else None)
    row = {} if accelerator in table["newerCards"] else table[system].get(f"{stated[0]}.{stated[1]}", {})
    return NodeDriver(table["least"][system][asked], row.get(asked))


def first_with(driver: int) -> str | None:
    """The first version of GKE whose latest driver is this one or newer; None where the table has none."""
    rows = _table()["COS_CONTAINERD"]
    return next((version for version in sorted(rows, key=version_of) if rows[version]["LATEST"] >= driver), None)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "drivers.yaml")
    return table
