"""Updates whose new pod has no room beside what the same update takes away last: each kind of it."""

from typing import Any

import pytest

from l4serve.planning.difference.differ import diff_plans
from l4serve.planning.stack.exchange import exchange_problems, most_of, pods_json, read_pods, unsettled
from l4serve.planning.stack.planned_pods import autoscaled_by
from l4serve.planning.stack.surges import paced, surge_problems
from tests.factories import EXISTING, planned, serving, workload

ONE, TWO, FOUR = "g2-standard-8", "g2-standard-24", "g2-standard-48"
EDITED: dict[str, Any] = {"engine": {"maxModelLen": 2048}}
Sides = tuple[dict[str, Any], dict[str, Any]]


def stack(nodes: int = 2, machine: str = ONE, **workloads: dict[str, Any]) -> Any:
    pools = {name: {"machineType": machine, "maxNodes": nodes} for name in ("l4", "other")}
    return planned(serving(workloads, cluster=EXISTING, pools=pools))


def scaled(low: int, high: int, **fields: Any) -> dict[str, Any]:
    return workload(autoscaling={"minReplicas": low, "maxReplicas": high}, **fields)


def waiting(before: Any, after: Any, *unsized: str) -> dict[str, str]:
    """What is said of each Deployment that waits if its pods change."""
    found = surge_problems(read_pods(pods_json(before)), after, unsized, autoscaled_by(before))
    return {name.rpartition("/")[2]: str(problem) for name, problem in found.items()}


GOES: dict[str, Sides] = {
    "removed": ({"a": workload(), "c": workload()}, {"a": workload(**EDITED)}),
    "renamed": (
        {"nodes": 3, "a": workload(), "c": workload()},
        {"nodes": 3, "a": workload(**EDITED), "d": workload()},
    ),
    "several pods": (
        {"nodes": 3, "a": workload(replicas=2), "c": workload()},
        {"nodes": 3, "a": workload(replicas=2, **EDITED)},
    ),
    "scaled up beside": (
        {"nodes": 3, "a": workload(), "c": workload()},
        {"nodes": 3, "a": workload(replicas=2, **EDITED)},
    ),
    "autoscaling lowered": (
        {"a": scaled(1, 2)},
        {"a": scaled(1, 1, **EDITED)},
    ),
    "autoscaling of another off": (
        {"nodes": 3, "a": workload(), "c": scaled(1, 2)},
        {"nodes": 3, "a": workload(**EDITED), "c": workload()},
    ),
    "removed on a shared node": (
        {"nodes": 1, "machine": TWO, "a": workload(gpus=1), "c": workload(gpus=1)},
        {"nodes": 1, "machine": TWO, "a": workload(gpus=1, **EDITED)},
    ),
}


@pytest.mark.parametrize(("before", "after"), GOES.values(), ids=GOES)
def test_what_goes_last_leaves_no_room_for_the_new_pod(before: dict[str, Any], after: dict[str, Any]) -> None:
    said = waiting(stack(**before), stack(**after))
    assert "a" in said
    assert said["a"].startswith("workloads.a: pool 'l4' holds")
    assert "(1) this config with the pods that stay as deployed, pulumi up; (2) this config, pulumi up" in said["a"]


ENDS: dict[str, Sides] = {
    "room": ({"nodes": 3, "a": workload(), "c": workload()}, {"nodes": 3, "a": workload(**EDITED)}),
    "nothing goes": ({"nodes": 3, "a": workload()}, {"nodes": 3, "a": workload(**EDITED)}),
    "old pod first": (
        {"nodes": 3, "a": workload(), "c": workload(), "d": workload()},
        {"nodes": 3, "a": workload(**EDITED), "d": workload(replicas=2)},
    ),
    "moved to another pool": (
        {"a": workload(), "c": workload()},
        {"a": workload(**EDITED), "c": workload(nodePool="other")},
    ),
    "gone from another pool": (
        {"nodes": 1, "a": workload(), "c": workload(nodePool="other")},
        {"nodes": 1, "a": workload(nodePool="other", **EDITED)},
    ),
    "scaled down": (
        {"nodes": 3, "a": workload(), "c": workload(replicas=2)},
        {"nodes": 3, "a": workload(**EDITED), "c": workload()},
    ),
    "scaled down itself": ({"a": workload(replicas=2)}, {"a": workload(**EDITED)}),
    "autoscaling off, with room for what it added": (
        {"nodes": 4, "a": workload(), "c": scaled(1, 2)},
        {"nodes": 4, "a": workload(**EDITED), "c": workload(**EDITED)},
    ),
    "fewer GPUs elsewhere": (
        {"nodes": 1, "machine": FOUR, "a": workload(gpus=2), "c": workload(gpus=2)},
        {"nodes": 1, "machine": FOUR, "a": workload(gpus=2, **EDITED), "c": workload(gpus=1)},
    ),
}


@pytest.mark.parametrize(("before", "after"), ENDS.values(), ids=ENDS)
def test_other_updates_are_not_refused(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert waiting(stack(**before), stack(**after)) == {}


def test_what_a_killed_update_left_may_fill_the_pool() -> None:
    said = waiting(stack(a=workload()), stack(nodes=9, a=workload(**EDITED)), "llm-serving/c")
    assert "perhaps not enough for c and the pod that an update of a starts" in said["a"]


def surges(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    plan = paced(stack(**after), read_pods(pods_json(stack(**before))))
    return {each.name: each.scale.rollout.max_surge for each in plan.workloads}


def test_an_old_pod_that_leaves_no_room_for_a_smaller_new_one_goes_first() -> None:
    def on(machine: str, **gpus: int) -> dict[str, Any]:
        return {"nodes": 1, "machine": machine, **{name: workload(gpus=count) for name, count in gpus.items()}}

    assert surges(on(TWO, a=2), on(TWO, a=1)) == {"a": 0}
    assert surges(on(TWO, a=1), on(TWO, a=1)) == {"a": 1}
    assert surges(on(FOUR, a=2), on(FOUR, a=1)) == {"a": 1}
    assert surges(on(FOUR, a=2, b=2), on(FOUR, a=1, b=1)) == {"a": 0, "b": 0}, "each waits for the other"
    large = stack(nodes=1, machine=TWO, a=workload(gpus=2))
    moved = paced(stack(nodes=2, machine=ONE, a=workload(gpus=1)), read_pods(pods_json(large)))
    assert moved.workloads[0].scale.rollout.max_surge == 1, "its old pod is on a node that goes"
    notes = [note.text for note in paced(stack(**on(TWO, a=1)), read_pods(pods_json(stack(**on(TWO, a=2))))).notes]
    assert any("an update takes a away while the new pod loads" in note for note in notes)


@pytest.mark.parametrize(
    ("nodes", "machine", "old", "new", "unavailable", "told"),
    [
        (1, TWO, (2, 1), (1, 2), 2, "no GPU is free beside the one pod: it goes first"),
        (1, FOUR, (4, 1), (1, 3), 3, "no GPU is free beside the one pod: it goes first"),
        (2, TWO, (2, 2), (1, 4), 3, "up to 3 of 4 pods are away while the new ones load"),
        (2, FOUR, (2, 2), (1, 8), 7, "up to 7 of 8 pods are away while the new ones load"),
        (1, FOUR, (2, 1), (1, 4), 4, "no GPU is free beside the one pod: it goes first"),
        (2, TWO, (2, 1), (1, 3), 3, "no GPU is free beside the one pod: it goes first"),
        (2, TWO, (2, 1), (1, 2), 1, "one of 2 pods at a time is away"),
        (2, TWO, (1, 2), (1, 4), 1, "no pod restarts"),
        (2, TWO, (1, 4), (2, 2), 1, "one of 2 pods at a time is away"),
    ],
)
def test_old_pods_may_go_while_more_smaller_ones_wait_for_their_gpus(
    nodes: int, machine: str, old: tuple[int, int], new: tuple[int, int], unavailable: int, told: str
) -> None:
    """Kubernetes ends no old pod while as many new ones wait as may be unavailable."""
    before, after = (
        stack(nodes=nodes, machine=machine, a=workload(gpus=gpus, replicas=replicas)) for gpus, replicas in (old, new)
    )
    (plan,) = paced(after, read_pods(pods_json(before))).workloads
    assert plan.scale.rollout.max_unavailable == unavailable
    (found,) = diff_plans("s", before, after).workloads
    assert found.interruption.why.startswith(told)
    assert found.interruption.expected is told.startswith("no GPU")


@pytest.mark.parametrize(
    ("told", "held", "new", "unavailable"),
    [
        ((1, 4), (2, 2), (1, 3), 3),
        ((2, 2), (1, 4), (1, 4), 4),
        ((4, 1), (1, 4), (2, 2), 2),
        ((2, 2), (2, 1), (1, 4), 4),
        ((2, 1), (1, 1), (1, 1), 0),
    ],
)
def test_all_pods_go_first_where_some_may_be_larger_than_others(
    told: tuple[int, int], held: tuple[int, int], new: tuple[int, int], unavailable: int
) -> None:
    """Kubernetes ends an old pod that serves only while more serve than the new ones may lack."""

    def of(pods: tuple[int, int]) -> Any:
        return stack(nodes=1, machine=FOUR, a=workload(gpus=pods[0], replicas=pods[1]))

    left = (read_pods(pods_json(of(told))), read_pods(pods_json(of(held))))
    (plan,) = paced(of(new), most_of(*left), unsettled(*left)).workloads
    assert (plan.scale.rollout.max_surge, plan.scale.rollout.max_unavailable) == (int(not unavailable), unavailable)


def test_pods_that_an_autoscaler_holds_to_the_end_leave_no_room_for_another_workload() -> None:
    old, new = (
        stack(nodes=3, a=scaled(1, 2), b=workload()),
        stack(nodes=3, a=workload(), b=workload(), c=workload()),
    )
    (said,) = exchange_problems(read_pods(pods_json(old)), new, (), autoscaled_by(old))
    assert "not enough for what the autoscaler of a adds and c at the same time" in str(said)
    assert list(exchange_problems(read_pods(pods_json(old)), new)) == []


def test_a_difference_tells_it_only_where_pods_change() -> None:
    old = stack(a=workload(), c=workload())
    found = diff_plans("s", old, stack(a=workload(**EDITED)))
    assert [(each.kind, each.path) for each in found.dangers if each.kind == "full pool"] == [
        ("full pool", "workloads.a")
    ]
    assert not [each for each in diff_plans("s", old, stack(a=workload())).dangers if each.kind == "full pool"]
