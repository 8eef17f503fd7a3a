"""Updates of a full pool: which of them could not end, and what is said of them."""

import json
from typing import Any

import pytest

from l4serve.planning.stack.exchange import exchange_notes, exchange_problems, held_json, pods_json, read_pods
from tests.factories import EXISTING, STANDARD, planned, serving, workload

POOL = "g2-standard-8"


def stack(nodes: int = 2, machine: str = POOL, **workloads: dict[str, Any]) -> Any:
    pools = {"l4": {"machineType": machine, "maxNodes": nodes}}
    return planned(serving(workloads, cluster=EXISTING, pools=pools))


def problems(before: Any, after: Any) -> list[str]:
    outputs = json.loads(json.dumps(pods_json(before)), parse_int=float)
    return [str(problem) for problem in exchange_problems(read_pods(outputs), after)]


A_AND_B: dict[str, Any] = {"a": workload(), "b": workload()}


def test_an_exchange_in_a_full_pool_is_told_with_both_steps() -> None:
    (said,) = problems(stack(**A_AND_B), stack(b=workload(), c=workload(extraEnv={"A": "1"})))
    assert said.startswith("workloads.c: pool 'l4' holds 2 nodes, not enough for a and c at the same time")
    assert "workloads.c.renamedFrom: a" in said
    assert "(1) this config without c, pulumi up; (2) this config, pulumi up" in said


def test_another_namespace_in_a_full_pool_is_told() -> None:
    """All objects are made anew there, and the pods of the old namespace hold their GPUs until the end."""
    pools = {"l4": {"machineType": POOL, "maxNodes": 2}}
    moved = planned(serving(A_AND_B, cluster=EXISTING, pools=pools, namespace="elsewhere"))
    (said,) = problems(stack(**A_AND_B), moved)
    gone = "a in namespace llm-serving, b in namespace llm-serving"
    assert f"holds 2 nodes, not enough for {gone} and a, b at the same time" in said
    assert "(1) this config without a, b, pulumi up; (2) this config, pulumi up" in said
    assert "renamedFrom" not in said
    roomy = {"l4": {"machineType": POOL, "maxNodes": 4}}
    assert problems(stack(**A_AND_B), planned(serving(A_AND_B, cluster=EXISTING, pools=roomy, namespace="other"))) == []


def test_an_exchange_on_a_cluster_of_unknown_size_is_told_as_what_may_fail() -> None:
    def notes(before: dict[str, Any], after: dict[str, Any], **beside: Any) -> list[Any]:
        old, new = (planned(serving(w, cluster=EXISTING, pools={}, **beside)) for w in (before, after))
        assert problems(old, new) == []
        return list(exchange_notes(read_pods(pods_json(old)), new))

    loose = workload(nodePool=None)
    (note,) = notes({"a": loose}, {"b": loose})
    assert (note.path, note.level, note.id) == ("workloads.b", "may fail", "exchange-of-unknown-room")
    assert note.text.startswith("b starts before a is deleted") and note.text.endswith("workloads.b.renamedFrom: a")
    assert notes({"a": loose}, {"b": loose | {"renamedFrom": "a"}}) == []
    (larger,) = notes({"a": loose}, {"b": workload(nodePool=None, gpus=2)})
    spaces = ("one", "two")
    old, moved = (planned(serving({"a": loose}, cluster=EXISTING, pools={}, namespace=each)) for each in spaces)
    (move,) = exchange_notes(read_pods(pods_json(old)), moved)
    assert "renamedFrom" not in larger.text + move.text, "neither is a rename"
    assert notes({"a": loose, "b": loose}, {"a": loose}) == notes({"a": loose}, {"a": loose, "b": loose}) == []
    pooled = read_pods(pods_json(stack(**A_AND_B)))
    assert list(exchange_notes(pooled, stack(b=workload(), c=workload()))) == []
    (left,) = exchange_notes(pooled, planned(serving({"b": loose, "c": loose}, cluster=EXISTING, pools={})))
    assert left.path == "workloads.c", "the pool of a is no longer described"


def test_pods_that_are_named_without_a_namespace_are_the_plans() -> None:
    """So outputs had them once."""
    old = {name.rpartition("/")[2]: pod for name, pod in pods_json(stack(**A_AND_B)).items()}
    assert list(exchange_problems(read_pods(old), stack(**A_AND_B))) == []
    assert len(list(exchange_problems(read_pods(old), stack(b=workload(), c=workload())))) == 1


def held(before: Any, after: Any) -> dict[str, Any]:
    return held_json(read_pods(pods_json(before)), after)


def test_an_update_that_ends_and_shrinks_nothing_holds_what_it_plans() -> None:
    before = stack(3, **A_AND_B)
    for after in (before, stack(3, **A_AND_B, c=workload()), stack(3, a=workload(), b=workload(replicas=2))):
        assert held(before, after) == pods_json(after)
    assert held_json({}, before) == pods_json(before), "nothing is deployed"


def test_what_ends_is_held_beside_what_is_new() -> None:
    before, after = stack(3, **A_AND_B), stack(3, b=workload(), c=workload())
    assert held(before, after) == pods_json(before) | pods_json(after)


def test_what_moves_is_held_where_it_is() -> None:
    def on(pool: str) -> Any:
        pools = {name: {"machineType": POOL, "maxNodes": 1} for name in ("one", "two")}
        return planned(serving({"a": workload(nodePool=pool)}, cluster=EXISTING, pools=pools))

    assert held(on("one"), on("two")) == pods_json(on("one"))


TWO_GPUS = "g2-standard-24"


@pytest.mark.parametrize(
    ("before", "smaller", "after"),
    [
        (
            {"nodes": 3, "a": workload(replicas=2), "b": workload()},
            {"nodes": 3, "a": workload(), "b": workload()},
            {"nodes": 3, "b": workload(), "c": workload()},
        ),
        (
            {"machine": TWO_GPUS, "a": workload(gpus=2), "b": workload(gpus=2)},
            {"machine": TWO_GPUS, "a": workload(gpus=1), "b": workload(gpus=2)},
            {"machine": TWO_GPUS, "b": workload(gpus=2), "c": workload(gpus=1)},
        ),
    ],
    ids=["fewer pods", "fewer GPUs"],
)
def test_what_an_update_that_failed_was_to_shrink_is_held(
    before: dict[str, Any], smaller: dict[str, Any], after: dict[str, Any]
) -> None:
    assert problems(stack(**smaller), stack(**after)) == []
    left = read_pods(held(stack(**before), stack(**smaller)))
    (said,) = exchange_problems(left, stack(**after))
    assert "not enough for a and c at the same time" in str(said)


def test_a_workload_removed_beside_one_scaled_up_is_told() -> None:
    (said,) = problems(stack(**A_AND_B), stack(b=workload(replicas=2)))
    assert "(1) this config with b as deployed, pulumi up" in said
    assert "renamedFrom" not in said


def test_a_pod_that_grows_beside_one_removed_is_told() -> None:
    """Its old pod goes first, and the new one waits for the GPU of what Pulumi deletes last."""
    before = stack(1, "g2-standard-24", a=workload(gpus=1), b=workload(gpus=1))
    (said,) = problems(before, stack(1, "g2-standard-24", a=workload(gpus=2)))
    assert said.startswith("workloads.a: pool 'l4' holds 1 node, not enough for b and a at the same time")
    assert "(1) this config with a as deployed, pulumi up" in said


def test_a_pod_of_more_memory_beside_one_removed_is_told() -> None:
    def asking(memory: str) -> dict[str, Any]:
        return workload(gpus=1, resources={"requests": {"memory": memory}})

    before = stack(1, "g2-standard-24", a=asking("20Gi"), b=asking("30Gi"))
    (said,) = problems(before, stack(1, "g2-standard-24", a=asking("65Gi")))
    assert "not enough for b and a at the same time" in said


def off_spot(**fields: Any) -> Any:
    pools = {
        "cheap": {"machineType": POOL, "maxNodes": 1, "spot": True},
        "sure": {"machineType": POOL, "maxNodes": 1},
    }
    classes = {"both": {"priorities": [{"nodePool": "cheap"}, {"nodePool": "sure"}]}}
    served = workload(replicas=2, computeClass="both", **fields)
    return planned(serving({"a": served}, cluster=STANDARD, pools=pools) | {"computeClasses": classes})


def test_pods_off_spot_that_are_wanted_no_more_are_told() -> None:
    """They have a Deployment of their own, which Pulumi deletes last."""
    (said,) = problems(off_spot(minOnDemand=1), off_spot())
    assert said.startswith("workloads.a: pools cheap, sure hold 2 nodes, not enough for a-on-demand and a")
    assert problems(off_spot(), off_spot(minOnDemand=1)) == []
    assert problems(off_spot(minOnDemand=1), off_spot(minOnDemand=1)) == []


def test_pods_of_another_size_are_no_rename() -> None:
    (said,) = problems(
        stack(1, "g2-standard-24", a=workload(gpus=1), b=workload(gpus=1)),
        stack(1, "g2-standard-24", c=workload(gpus=2)),
    )
    assert "not enough for a, b and c" in said
    assert "renamedFrom" not in said


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (dict(nodes=3, **A_AND_B), {"nodes": 3, "b": workload(), "c": workload()}),
        (dict(**A_AND_B), {"b": workload(), "c": workload(renamedFrom="a")}),
        (dict(**A_AND_B), dict(**A_AND_B)),
        (dict(**A_AND_B), {"b": workload()}),
        ({"a": workload()}, dict(**A_AND_B)),
        (
            {"nodes": 3, "a": workload(replicas=2), "b": workload()},
            {"nodes": 3, "a": workload(), "b": workload(replicas=2)},
        ),
        (dict(**A_AND_B), {"a": workload(), "b": workload(engine={"maxModelLen": 2048})}),
    ],
    ids=["room", "renamed", "nothing", "only removed", "only added", "down beside up", "edited"],
)
def test_updates_that_end_are_not_refused(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert problems(stack(**before), stack(**after)) == []


@pytest.mark.parametrize("outputs", [None, "x", {"a": 1}, {"a": {"gpus": 1}}, {}])
def test_outputs_of_an_earlier_program_say_nothing(outputs: Any) -> None:
    assert read_pods(outputs) == {}


def test_a_renamed_workload_keeps_every_kubernetes_name() -> None:
    (old,), (new,) = stack(a=workload()).workloads, stack(c=workload(renamedFrom="a")).workloads
    assert (new.name, new.object_name, new.service.name) == ("c", "a", "a")
    assert new.metadata == old.metadata


def test_two_workloads_cannot_have_one_set_of_names() -> None:
    with pytest.raises(ValueError, match=r"workloads\.c\.renamedFrom: its Kubernetes names are those of workload 'a'"):
        stack(a=workload(), c=workload(renamedFrom="a", service={"name": "other"}))


def test_what_a_killed_update_left_may_fill_the_pool() -> None:
    """It is in the state once it is adopted, and no output says what it takes."""
    left, one = {"llm-serving/c"}, read_pods(pods_json(stack(a=workload())))
    (said,) = map(str, exchange_problems(one, stack(9, a=workload(), d=workload()), left))
    assert said.startswith("workloads.d: pool 'l4' holds 9 nodes, perhaps not enough for c and d at the same time")
    assert "(1) this config without d, pulumi up; (2) this config, pulumi up" in said
    assert list(exchange_problems(one, stack(a=workload()), left)) == []
    assert list(exchange_problems(one, stack(a=workload(), c=workload()), left)) == []
