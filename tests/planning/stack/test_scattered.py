"""Pools where small pods can take the nodes that larger ones need: which come first, and what no order makes safe."""

from itertools import pairwise
from typing import Any

import pytest

from l4serve.planning.difference.differ import diff_plans
from l4serve.planning.stack.exchange import pods_json, read_pods
from l4serve.planning.stack.scattered import larger_first, scatter_problems
from tests.factories import EXISTING, planned, serving, workload

TWO, FOUR = ("g2-standard-24", 2), ("g2-standard-48", 4)
Sizes = dict[str, tuple[int, int]]
"""GPUs of a pod and pods of each workload."""
MIXED: Sizes = {"a": (4, 1), "b": (2, 1), "c": (1, 2)}


def stack(nodes: int, sizes: Sizes, machine: tuple[str, int] = FOUR) -> Any:
    pods = {name: workload(gpus=gpus, replicas=count) for name, (gpus, count) in sizes.items()}
    return planned(serving(pods, cluster=EXISTING, pools={"l4": {"machineType": machine[0], "maxNodes": nodes}}))


def first(before: Any, after: Any) -> dict[str, str]:
    """Those that come before a workload, as one word."""
    found = larger_first(read_pods(pods_json(before)) if before else {}, after)
    return {name: "".join(sorted(others)) for name, others in found.items() if others}


def refused(before: Any, after: Any) -> list[str]:
    return [str(each) for each in scatter_problems(read_pods(pods_json(before)), after)]


def test_larger_pods_are_made_first_where_small_ones_could_take_their_node() -> None:
    assert first(None, stack(2, MIXED)) == {"b": "a", "c": "ab"}
    assert first(stack(2, MIXED), stack(2, MIXED)) == {"b": "a", "c": "ab"}
    for free in (stack(4, MIXED), stack(1, {"b": (2, 1), "c": (1, 2)}), stack(2, {"a": (1, 2), "b": (1, 2)})):
        assert first(None, free) == {}


@pytest.mark.parametrize(
    ("nodes", "machine", "before", "after", "order"),
    [
        (2, TWO, {"a": (2, 1), "b": (1, 2)}, {"a": (1, 2), "b": (2, 1)}, {"a": "b"}),
        (2, FOUR, {"a": (4, 1), "b": (1, 4)}, {"a": (1, 4), "b": (4, 1)}, {"a": "b"}),
        (
            2,
            FOUR,
            {"a": (2, 1), "b": (1, 2), "c": (4, 1)},
            {"a": (1, 2), "b": (2, 1), "c": (4, 1)},
            {"a": "bc", "b": "c"},
        ),
        (3, TWO, {"a": (2, 1), "b": (2, 1), "c": (1, 2)}, {"a": (1, 2), "b": (2, 1), "c": (2, 1)}, {"a": "bc"}),
        (3, FOUR, {"a": (4, 1), "b": (2, 1), "c": (1, 1)}, {"a": (2, 1), "b": (1, 1), "c": (4, 1)}, {}),
    ],
)
def test_an_exchange_ends_where_larger_pods_come_first(
    nodes: int, machine: tuple[str, int], before: Sizes, after: Sizes, order: dict[str, str]
) -> None:
    """The last has a node to spare, and any order."""
    old, new = stack(nodes, before, machine), stack(nodes, after, machine)
    assert (refused(old, new), first(old, new)) == ([], order)


@pytest.mark.parametrize(
    ("nodes", "before", "after", "small", "large"),
    [
        (2, MIXED, {"a": (2, 1), "b": (1, 2), "c": (4, 1)}, "a, b", "c"),
        (2, MIXED, {"a": (1, 2), "b": (4, 1), "c": (2, 1)}, "a", "b, c"),
        (2, {"a": (4, 1), "b": (2, 1), "c": (2, 1)}, {"a": (2, 1), "b": (2, 1), "c": (4, 1)}, "a", "c"),
        (2, {"a": (4, 1), "b": (2, 1), "c": (1, 1)}, {"a": (2, 1), "b": (1, 1), "c": (4, 1)}, "a, b", "c"),
    ],
)
def test_an_exchange_that_no_order_makes_safe_is_told_with_its_three_steps(
    nodes: int, before: Sizes, after: Sizes, small: str, large: str
) -> None:
    old, new = stack(nodes, before), stack(nodes, after)
    (said,) = refused(old, new)
    assert said.startswith(f"workloads.{large[0]}: pool 'l4' holds {nodes} nodes, and pods of {small} get smaller")
    assert f"(1) this config without {small} and with {large} as deployed, pulumi up" in said
    assert first(old, new) == {}
    assert [each.path for each in diff_plans("s", old, new).dangers if each.kind == "full pool"] == [
        f"workloads.{large[0]}"
    ]


def test_each_of_the_three_steps_passes() -> None:
    steps: list[Sizes] = [MIXED, {"c": (1, 2)}, {"c": (4, 1)}, {"a": (2, 1), "b": (1, 2), "c": (4, 1)}]
    for before, after in pairwise(steps):
        assert refused(stack(2, before), stack(2, after)) == []
