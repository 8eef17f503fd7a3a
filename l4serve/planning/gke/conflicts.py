"""What GKE, Compute Engine or the provider refuse. Rules: data/conflicts.yaml, each with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.gathering import refuse_all
from l4serve.config.keys.cluster import Cluster
from l4serve.config.keys.node_pool import NodePool
from l4serve.config.refusals.problems import Problem
from l4serve.engines.conditions import Facts, fill, holds
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.conflict_inputs import cluster_inputs, pool_inputs
from l4serve.planning.machines.shapes import MachineShape


def refuse_cluster(config: Cluster) -> None:
    """Raises ConfigError when GKE would refuse the cluster."""
    refuse_all(_problems("cluster", "cluster", cluster_inputs(config)))


def pool_problems(
    path: str, config: NodePool, shape: MachineShape | None, cluster: ClusterPlan | None
) -> tuple[Problem, ...]:
    """What GKE would refuse of a pool; rules that need an unknown machine type, or an unknown cluster, do not apply."""
    return tuple(_problems("pool", path, pool_inputs(config, shape, cluster)))


def refusals() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Every rule, by what it refuses: a `cluster` or a `pool`."""
    table = load_data(__file__, "conflicts.yaml")
    return {subject: table[subject] for subject in ("cluster", "pool")}


def _problems(subject: str, path: str, facts: Facts) -> Iterator[Problem]:
    for rule in load_data(__file__, "conflicts.yaml")[subject]:
        if holds(rule["when"], facts):
            field = rule.get("at") or (f"{path}.{rule['path']}" if rule["path"] else path)
            yield Problem(field, fill(rule["message"], facts), fill(rule["remedy"], facts))
