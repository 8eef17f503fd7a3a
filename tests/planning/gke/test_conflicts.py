"""Every rule of what GKE refuses: an example that it catches, and a nearby config that it lets pass."""

from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.config.data_file import load_data
from l4serve.config.keys.node_pool import NodePool
from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.engines.conditions import RuleError, fill, holds
from l4serve.planning.gke import conflicts
from l4serve.planning.gke.conflict_inputs import cluster_inputs, pool_inputs
from l4serve.planning.gke.conflicts import pool_problems, refuse_cluster
from l4serve.planning.gke.pools import plan_pool
from l4serve.planning.machines.shapes import find_shape
from tests.each_case import each
from tests.factories import AUTOPILOT, EXISTING, STANDARD, ZONAL, cluster_plan
from tests.planning.gke.conflict_cases import (
    CLUSTER,
    CLUSTER_CASES,
    FLEX,
    NO_COUNTERPART,
    ONE_ZONE,
    POOL_CASES,
    SHAPE_ONLY,
)


def rules(subject: str) -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in load_data(conflicts.__file__, "conflicts.yaml")[subject]}


def problems_of_cluster(config: Mapping[str, Any]) -> tuple[Problem, ...]:
    try:
        refuse_cluster(CLUSTER.validate_python(config))
    except ConfigError as error:
        return error.problems
    return ()


def problems_of_pool(cluster: Mapping[str, Any], pool: Mapping[str, Any]) -> tuple[Problem, ...]:
    config = NodePool.model_validate(pool)
    return pool_problems("nodePools.l4", config, find_shape(config.machine_type), cluster_plan(cluster))


def path_of(prefix: str, rule: dict[str, Any]) -> str:
    return rule.get("at") or (f"{prefix}.{rule['path']}" if rule["path"] else prefix)


def test_every_rule_has_an_example() -> None:
    assert set(rules("cluster")) == set(CLUSTER_CASES)
    assert set(rules("pool")) == set(POOL_CASES) | SHAPE_ONLY


@pytest.mark.parametrize("subject", ["cluster", "pool"])
def test_every_rule_names_its_source_and_its_remedy(subject: str) -> None:
    for name, rule in rules(subject).items():
        assert rule["source"].startswith("https://") or rule["source"] == "docs/gke.md", name
        assert rule["remedy"], name


@each(CLUSTER_CASES, str)
def test_cluster_rule_refuses_its_example(name: str) -> None:
    refused, allowed = CLUSTER_CASES[name]
    path = path_of("cluster", rules("cluster")[name])
    found = problems_of_cluster(refused)
    assert path in [problem.path for problem in found]
    assert all("{" not in str(problem) and "None" not in problem.message for problem in found)
    assert problems_of_cluster(allowed) == ()


@each(POOL_CASES, str)
def test_pool_rule_refuses_its_example(name: str) -> None:
    cluster, refused, allowed = POOL_CASES[name]
    path = path_of("nodePools.l4", rules("pool")[name])
    found = problems_of_pool(cluster, refused)
    assert path in [problem.path for problem in found]
    assert all("{" not in str(problem) and "None" not in problem.message for problem in found)
    if name not in NO_COUNTERPART:
        good_cluster = STANDARD if name == "image-cache-without-streaming" else cluster
        assert problems_of_pool(good_cluster, allowed) == ()


def test_compact_placement_is_refused_on_machines_that_lack_it() -> None:
    shape = find_shape("n1-standard-8", ("nvidia-tesla-t4", 1))
    config = NodePool.model_validate({**ONE_ZONE, "machineType": "n1-standard-8", "placement": {}})
    found = pool_problems("nodePools.t4", config, shape, cluster_plan(ZONAL))
    assert "nodePools.t4.placement" in [problem.path for problem in found]


def test_all_conflicts_of_a_pool_come_at_once() -> None:
    config = NodePool.model_validate({**FLEX, "minNodes": 1, "diskType": "pd-standard", "autoUpgrade": False})
    with pytest.raises(ConfigError) as caught:
        plan_pool("l4", config, cluster_plan(STANDARD))
    assert {p.path for p in caught.value.problems} == {
        "nodePools.l4.minNodes",
        "nodePools.l4.diskType",
        "nodePools.l4.autoUpgrade",
    }


def test_an_unknown_machine_type_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        plan_pool("l4", NodePool.model_validate({"machineType": "g2-standard-6"}), cluster_plan(STANDARD))
    (problem,) = caught.value.problems
    assert problem.path == "nodePools.l4.machineType"
    assert "g2-standard-8" in problem.remedy


@pytest.mark.parametrize(
    ("recurrence", "windows"),
    [
        ("FREQ=DAILY", 32),
        ("FREQ=DAILY;INTERVAL=2", 16),
        ("FREQ=DAILY;BYDAY=SA", 4),
        ("FREQ=WEEKLY", 4),
        ("FREQ=WEEKLY;BYDAY=SA,SU", 8),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", 2),
        ("FREQ=MONTHLY", 1),
        ("FREQ=MONTHLY;BYDAY=SA", 4),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", 2),
        ("FREQ=YEARLY", 0),
    ],
)
def test_windows_are_counted_as_the_recurrence_rule_has_them(recurrence: str, windows: int) -> None:
    """A window of six hours: the fewest that any 32 days have, as python-dateutil lists them."""
    maintenance = {"start": "2025-01-04T02:00:00Z", "end": "2025-01-04T08:00:00Z", "recurrence": recurrence}
    config = CLUSTER.validate_python({**STANDARD, "maintenance": maintenance})
    assert cluster_inputs(config)["windowHoursIn32Days"] == 6 * windows


@pytest.mark.parametrize("subject", ["cluster", "pool"])
def test_a_rule_names_only_facts_that_exist_on_every_kind_of_cluster(subject: str) -> None:
    pool = NodePool.model_validate({"machineType": "g2-standard-8"})
    configs = [CLUSTER.validate_python(config) for config in (STANDARD, AUTOPILOT, EXISTING)]
    if subject == "cluster":
        inputs = [cluster_inputs(config) for config in configs]
    else:
        plans = [cluster_plan(config) for config in (STANDARD, AUTOPILOT, EXISTING)]
        inputs = [pool_inputs(pool, shape, plan) for plan in plans for shape in (find_shape("g2-standard-8"), None)]
    for facts in inputs:
        for rule in rules(subject).values():
            holds(rule["when"], facts)
            fill(rule["message"] + rule["remedy"], facts)


def test_an_unknown_fact_is_an_error_in_a_condition_and_in_a_text() -> None:
    with pytest.raises(RuleError):
        holds({"no.such": True}, {"a": 1})
    with pytest.raises(RuleError):
        fill("{no.such}", {"a": 1})
