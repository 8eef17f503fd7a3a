"""Packing and placement: what fits is shown node by node, what does not is named with its config path and remedy."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.planning.machines.prices import PriceOverrides
from l4serve.planning.machines.shapes import find_shape
from l4serve.planning.packing.bins import Item, fits, less, pack, spread
from l4serve.planning.packing.machine_choice import Offer, cheapest_machine, machine_options
from l4serve.planning.packing.node_setup import NodeSetup
from l4serve.planning.packing.placement import (
    PodRequest,
    PoolRoom,
    place,
    pods_per_node,
    spare_pods,
    stranded_gpus,
)
from l4serve.planning.packing.spare import SPARE_LIMIT
from l4serve.planning.values.quantity import GIB
from l4serve.planning.workload.rollout import plan_rollout, rollout_can_end

CENTRAL = Offer(accelerator="nvidia-l4", region="us-central1")


def pod(
    name: str,
    *,
    gpus: int = 1,
    cpu: int = 2000,
    gib: int = 20,
    disk: int = 10,
    replicas: int = 1,
    pool: str | None = None,
) -> PodRequest:
    return PodRequest(
        workload=name,
        cpu_millis=cpu,
        memory_bytes=gib * GIB,
        ephemeral_bytes=disk * GIB,
        gpus=gpus,
        replicas=replicas,
        node_pool=pool,
    )


def room(machine_type: str = "g2-standard-8", nodes: int = 2, name: str = "l4") -> PoolRoom:
    shape = find_shape(machine_type)
    assert shape is not None
    return PoolRoom(name=name, shape=shape, max_nodes=nodes)


# --- packing -----------------------------------------------------------------------------------------------------


def brute_force(items: list[Item], node: tuple[int, ...], nodes: int) -> bool:
    """Every way to put every single pod on a node."""
    pods = [item.size for item in items for _ in range(item.count)]
    for places in itertools.product(range(nodes), repeat=len(pods)):
        rooms = [node] * nodes
        for size, at in zip(pods, places, strict=True):
            rooms[at] = less(rooms[at], size, 1)
        if all(min(left) >= 0 for left in rooms):
            return True
    return not pods


sizes = st.tuples(st.integers(1, 8), st.integers(0, 8))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(sizes, st.integers(0, 2)), min_size=1, max_size=3), st.integers(1, 3))
def test_packing_finds_what_brute_force_finds(kinds: list[tuple[tuple[int, int], int]], nodes: int) -> None:
    items = [Item(str(i), size, count) for i, (size, count) in enumerate(kinds)]
    found = pack(items, (10, 10), nodes)
    assert (found is not None) == brute_force(items, (10, 10), nodes)
    if found:
        assert len(found.nodes) <= nodes
        held = [dict(node) for node in found.nodes]
        assert [sum(node.get(i, 0) for node in held) for i in range(len(items))] == [item.count for item in items]
        for node in found.nodes:
            left: tuple[int, ...] = (10, 10)
            for kind, count in node:
                left = less(left, items[kind].size, count)
            assert fits((0, 0), left)


def test_nodes_are_filled_one_after_the_other_and_the_rest_of_a_kind_goes_to_the_next() -> None:
    packing = pack([Item("large", (6,), 2), Item("small", (2,), 5)], (10,), 4)
    assert packing is not None and packing.nodes == (((0, 1), (1, 2)), ((0, 1), (1, 2)), ((1, 1),), ())


def test_a_packing_that_largest_first_misses_is_still_found() -> None:
    items = [Item("a", (6, 1), 2), Item("b", (4, 9), 2)]
    assert pack(items, (10, 10), 2) is not None
    hard = [Item("a", (4,), 3), Item("b", (3,), 4), Item("c", (2,), 3)]
    assert pack(hard, (10,), 3) is not None, "4+4+2, 4+3+3, 3+3+2+2 fill three nodes exactly"


def test_spreading_small_pods_first_can_block_a_large_one() -> None:
    items = [Item("small", (1,), 2), Item("large", (2,), 1)]
    assert pack(items, (2,), 2) is not None
    assert spread(items, (2,), [(2,)] * 2) is None
    assert spread(items, (2,), [(2,)] * 3) is not None


# --- placement ---------------------------------------------------------------------------------------------------


def test_replicas_land_on_the_pool_they_name() -> None:
    small, large = room(name="small"), room("g2-standard-24", 2, "large")
    placement = place([pod("a", replicas=2, pool="small"), pod("b", gpus=2, gib=40, pool="large")], [small, large])
    assert placement.refusals == ()
    assert placement.assigned == {"a": "small", "b": "large"}
    by_pool = {p.pool: p for p in placement.pools}
    assert by_pool["small"].nodes == ({"a": 1}, {"a": 1})
    assert by_pool["large"].nodes == ({"b": 1},)


def test_workloads_that_ask_for_the_same_are_told_apart_on_the_nodes() -> None:
    pods = [pod("a", replicas=2), pod("big", cpu=5000, replicas=1), pod("b", replicas=1)]
    placement = place(pods, [room(nodes=4)])
    assert sorted(map(dict, placement.pools[0].nodes), key=str) == [{"a": 1}, {"a": 1}, {"b": 1}, {"big": 1}]
    assert set(placement.spare.values()) == {0}


def test_without_a_named_pool_the_smallest_that_holds_the_pod_takes_it_and_the_next_when_it_is_full() -> None:
    pools = [room("g2-standard-24", 2, "large"), room(nodes=1, name="small")]
    placement = place([pod("a"), pod("b"), pod("c", gpus=2, gib=40)], pools)
    assert placement.refusals == ()
    assert placement.assigned == {"a": "small", "b": "large", "c": "large"}


@pytest.mark.parametrize(
    ("request_", "path", "asks", "remedy"),
    [
        (pod("w", gib=40), "workloads.w.resources.requests.memory", "40Gi memory", "g2-standard-12"),
        (pod("w", cpu=7800), "workloads.w.resources.requests.cpu", "7800m CPU", "g2-standard-12"),
        (pod("w", gpus=2), "workloads.w.gpus", "2 gpus", "g2-standard-24"),
        (pod("w", disk=90), "workloads.w.resources.requests.ephemeralStorage", "90Gi", "nodePools.l4.diskSizeGb"),
        (pod("w", gib=900), "workloads.w.resources.requests.memory", "900Gi memory", "no machine"),
        (pod("w", pool="none"), "workloads.w.nodePool", "no such node pool", "nodePools"),
    ],
)
def test_a_pod_that_no_node_holds_is_refused_with_a_remedy(
    request_: PodRequest, path: str, asks: str, remedy: str
) -> None:
    (problem,) = place([request_], [room()]).refusals
    assert problem.path == path
    assert asks in problem.message
    assert "Pending" in problem.message
    assert remedy in problem.remedy


def test_the_remedy_of_a_pod_too_large_holds_it() -> None:
    for request in (pod("w", gib=40), pod("w", cpu=7800), pod("w", gpus=2), pod("w", gpus=2, gib=120)):
        (problem,) = place([request], [room()]).refusals
        machine_type = problem.remedy.split("machineType: ")[1].split(",")[0]
        assert place([request], [room(machine_type)]).refusals == (), problem.remedy


def test_too_many_replicas_name_the_number_of_nodes_that_would_do() -> None:
    (problem,) = place([pod("a", replicas=3), pod("b", replicas=2)], [room(nodes=2)]).refusals
    assert problem.path == "nodePools.l4.maxNodes"
    assert "a x 3, b x 2" in problem.message
    assert problem.remedy == "set maxNodes: 5"
    assert place([pod("a", replicas=3), pod("b", replicas=2)], [room(nodes=5)]).refusals == ()


def test_daemonsets_count_against_the_node() -> None:
    everything = room("g2-standard-4", 1)
    bare = PoolRoom(name="l4", shape=everything.shape, max_nodes=1, setup=NodeSetup(features=frozenset()))
    snug = pod("w", cpu=3300, gib=10)
    assert place([snug], [bare]).refusals == ()
    assert place([snug], [everything]).refusals != ()


def test_idle_gpus_are_told_from_stranded_ones() -> None:
    (idle,) = place([pod("a", replicas=1)], [room("g2-standard-24", 1)]).pools
    assert (idle.gpus_idle, idle.gpus_stranded) == (1, 0), "a second replica would fit beside the first"
    (stranded,) = place([pod("a", gib=60, replicas=1)], [room("g2-standard-24", 1)]).pools
    assert (stranded.gpus_idle, stranded.gpus_stranded) == (1, 1), "memory is gone for a second replica"


def test_an_order_that_would_leave_a_large_pod_pending_is_told() -> None:
    pods = [pod("small", replicas=2), pod("large", gpus=2, gib=40)]
    assert place(pods, [room("g2-standard-24", 2)]).pools[0].order_matters
    assert not place(pods, [room("g2-standard-24", 3)]).pools[0].order_matters


# --- rollouts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("nodes", "spare"), [(2, 0), (3, 1), (5, 3)])
def test_spare_pods_are_what_fits_beside_all_replicas(nodes: int, spare: int) -> None:
    pods = [pod("a"), pod("b")]
    assert place(pods, [room(nodes=nodes)]).spare == {"a": spare, "b": spare}


def test_spare_pods_end_at_the_limit_and_see_fragments() -> None:
    assert spare_pods(pod("a"), [pod("a")], room(nodes=500)) == SPARE_LIMIT
    residents = [pod("a", replicas=2)]
    assert spare_pods(pod("a"), residents, room("g2-standard-24", 1)) == 0
    assert spare_pods(pod("b", gpus=2), [pod("a")], room("g2-standard-24", 1)) == 0, "one free GPU is no pair"


@given(st.integers(1, 6), st.integers(1, 8), st.integers(1, 2))
def test_no_planned_rollout_can_wait_for_itself(replicas: int, nodes: int, gpus: int) -> None:
    request = pod("a", gpus=gpus, replicas=replicas)
    pool = room("g2-standard-24", nodes)
    if place([request], [pool]).refusals:
        return
    spare = place([request], [pool]).spare["a"]
    plan = plan_rollout(replicas, spare, 600)
    assert rollout_can_end(max_surge=plan.max_surge, max_unavailable=plan.max_unavailable, spare=spare)


@pytest.mark.parametrize(
    ("surge", "unavailable", "spare", "ends"), [(1, 0, 0, False), (1, 0, 1, True), (0, 1, 0, True), (0, 0, 5, False)]
)
def test_a_rollout_ends_only_with_room_or_an_old_pod_to_spare(
    surge: int, unavailable: int, spare: int, ends: bool
) -> None:
    assert rollout_can_end(max_surge=surge, max_unavailable=unavailable, spare=spare) is ends


# --- machines ----------------------------------------------------------------------------------------------------


def test_the_cheapest_machine_that_holds_the_pods_is_chosen() -> None:
    assert cheapest_machine([pod("a", gib=10)], CENTRAL).shape.machine_type == "g2-standard-4"
    assert cheapest_machine([pod("a", gib=25)], CENTRAL).shape.machine_type == "g2-standard-8"
    pair = cheapest_machine([pod("a", gpus=2, gib=40)], CENTRAL)
    assert pair
    assert (pair.shape.machine_type, pair.nodes) == ("g2-standard-24", 1)


def test_sharing_a_large_machine_can_be_cheaper_than_many_small_ones() -> None:
    four = cheapest_machine([pod("a", gib=40, replicas=4)], CENTRAL)
    assert four is not None
    costs = {
        option.shape.machine_type: option.usd_per_hour
        for option in machine_options([pod("a", gib=40, replicas=4)], CENTRAL)
    }
    assert costs[four.shape.machine_type] == min(cost for cost in costs.values() if cost)
    assert "g2-standard-8" not in costs, "one node must hold one pod"


def test_prices_of_the_config_change_the_choice() -> None:
    options = Offer(
        accelerator="nvidia-l4", region="us-central1", overrides=PriceOverrides({"on-demand": {"g2-standard-16": 0.1}})
    )
    chosen = cheapest_machine([pod("a", gib=10)], options)
    assert chosen
    assert chosen.shape.machine_type == "g2-standard-16"


def test_without_prices_the_smallest_machine_is_chosen() -> None:
    chosen = cheapest_machine([pod("a", gib=10)], Offer(accelerator="nvidia-l4", region="africa-south1"))
    assert chosen
    assert chosen.shape.machine_type == "g2-standard-4"
    assert chosen.usd_per_hour is None


def test_a_pod_that_no_machine_holds_has_no_choice() -> None:
    assert cheapest_machine([pod("a", gib=900)], CENTRAL) is None


@pytest.mark.parametrize(
    ("request_", "pods", "stranded"), [(pod("a", gib=20), 2, 0), (pod("a", gib=60), 1, 1), (pod("a", gpus=2), 1, 0)]
)
def test_stranded_gpus_of_a_full_node(request_: PodRequest, pods: int, stranded: int) -> None:
    node = room("g2-standard-24").node
    assert (pods_per_node(request_, node), stranded_gpus(request_, node)) == (pods, stranded)
