"""What GKE, Compute Engine or the provider refuse. Rules: data/gke_conflicts.yaml, each with its source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from l4serve.config.cluster import Cluster
from l4serve.config.data_file import load_data
from l4serve.config.node_pool import NodePool
from l4serve.config.problems import ConfigError, Problem
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.conflict_inputs import cluster_facts, pool_facts
from l4serve.planning.machines.shapes import MachineShape

Facts = Mapping[str, Any]
_PLACEHOLDER = re.compile(r"\{([\w.]+)\}")


def refuse_cluster(config: Cluster) -> None:
    """Raise ConfigError when GKE would refuse the cluster."""
    problems = tuple(_problems("cluster", "cluster", cluster_facts(config)))
    if problems:
        raise ConfigError(problems)


def pool_problems(path: str, config: NodePool, shape: MachineShape | None, cluster: ClusterPlan) -> tuple[Problem, ...]:
    """What GKE would refuse of a pool on its cluster; rules that need an unknown machine type do not apply."""
    return tuple(_problems("pool", path, pool_facts(config, shape, cluster)))


def _problems(subject: str, path: str, facts: Facts) -> Iterator[Problem]:
    for rule in load_data(__file__, "conflicts.yaml")[subject]:
        if all(_holds(facts, fact, wanted) for fact, wanted in rule["when"].items()):
            field = rule["path"]
            yield Problem(
                f"{path}.{field}" if field else path,
                _fill(rule["message"], facts),
                _fill(rule["remedy"], facts),
            )


def _fill(text: str, facts: Facts) -> str:
    """The text with each {fact} replaced; facts have dots in their names, which str.format reads as attributes."""

    def value(match: re.Match[str]) -> str:
        fact = facts.get(match[1])
        return f"{fact:g}" if isinstance(fact, float) else str(fact)

    return _PLACEHOLDER.sub(value, text)


def _holds(facts: Facts, fact: str, wanted: Any) -> bool:
    """Whether one condition holds: a value, a list of values, or {set|above|below|not: …} (figures or fact names)."""
    value = facts.get(fact)
    if not isinstance(wanted, dict):
        return value in wanted if isinstance(wanted, list) else bool(value == wanted)
    return all(_OPERATORS[name](value, _operand(facts, operand)) for name, operand in wanted.items())


def _operand(facts: Facts, operand: Any) -> Any:
    return facts.get(operand) if isinstance(operand, str) and operand in facts else operand


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "set": lambda value, wanted: bool(value) is wanted,
    "above": lambda value, bound: value is not None and bool(value > bound),
    "below": lambda value, bound: value is not None and bool(value < bound),
    "not": lambda value, other: bool(value not in other if isinstance(other, list) else value != other),
}
