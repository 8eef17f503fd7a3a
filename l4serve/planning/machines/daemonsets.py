"""What GKE's own daemonsets take of a GPU node before a workload's pod arrives. Figures: data/gke_daemonsets.yaml."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import cache

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.planning.values.quantity import parse_bytes, parse_cpu


@frozen()
class DaemonSet:
    """One daemonset's effective request on a node; `estimated` names the figure that no public source states."""

    name: str
    cpu_millis: int
    memory_bytes: int
    feature: str | None
    without: str | None
    estimated: str | None
    source: str


@frozen()
class Overhead:
    """The sum over the daemonsets of one node."""

    cpu_millis: int
    memory_bytes: int
    pods: int


@cache
def all_daemonsets() -> tuple[DaemonSet, ...]:
    """Every row of the table, with the text of its source."""
    table = load_data(__file__, "gke_daemonsets.yaml")
    return tuple(
        DaemonSet(
            name=row["name"],
            cpu_millis=parse_cpu(row["cpu"]),
            memory_bytes=parse_bytes(row["memory"]),
            feature=row.get("feature"),
            without=row.get("without"),
            estimated=row.get("estimated"),
            source=table["sources"][row["source"]],
        )
        for row in table["daemonsets"]
    )


def all_features() -> frozenset[str]:
    """The cluster features that bring a daemonset; planning assumes all of them unless told otherwise."""
    return frozenset(load_data(__file__, "gke_daemonsets.yaml")["features"])


def daemonset_overhead(features: AbstractSet[str] | None = None) -> Overhead:
    """Requests of the daemonsets on one GPU node of a cluster with these features (None: with all of them)."""
    enabled = all_features() if features is None else features
    unknown = sorted(enabled - all_features())
    if unknown:
        raise ValueError(f"unknown cluster features {unknown}; known: {sorted(all_features())}")
    rows = tuple(row for row in all_daemonsets() if _runs(row, enabled))
    return Overhead(
        cpu_millis=sum(row.cpu_millis for row in rows),
        memory_bytes=sum(row.memory_bytes for row in rows),
        pods=len(rows),
    )


def _runs(row: DaemonSet, enabled: AbstractSet[str]) -> bool:
    return (row.feature is None or row.feature in enabled) and (row.without is None or row.without not in enabled)
