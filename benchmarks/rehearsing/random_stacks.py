"""Random stacks near the edge of what their nodes hold: the object of a stack file, from a seed."""

import random
from collections.abc import Iterator
from typing import Any

from l4serve.planning.machines.allocatable import allocatable
from l4serve.planning.machines.shapes import MachineShape, all_shapes, find_shape
from l4serve.planning.values.quantity import MIB

_MODELS = (
    "Qwen/Qwen2.5-1.5B-Instruct", "Qwen/Qwen2.5-7B-Instruct-AWQ", "Qwen/Qwen3-0.6B", "Qwen/Qwen3-4B",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0", "microsoft/phi-2",
)  # fmt: skip
_ENGINES = (
    {"kind": "vllm", "version": "0.26.0", "maxModelLen": 2048},
    {"kind": "vllm", "version": "0.19.1", "maxModelLen": 1024},
    {"kind": "tgi", "version": "3.3.7", "maxTotalTokens": 2048, "maxInputTokens": 1024},
)
_L4 = "nvidia-l4"
_DISKS = ("5Gi", "20Gi", "43Gi", "60Gi", "61Gi", "90Gi", "200Gi", "1000Gi")


def random_stacks(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Stacks without an end, each in a namespace of its own; many are refused, for want of room or otherwise."""
    number = 0
    while True:
        yield _stack(rng, f"s{number}")
        number += 1


def _stack(rng: random.Random, name: str) -> dict[str, Any]:
    mode = rng.choices(("standard", "autopilot", "existing"), (7, 3, 1))[0]
    pools = _pools(rng) if mode == "standard" else {}
    classes = _classes(rng, pools, name) if mode == "standard" and rng.random() < 0.2 else {}
    count = rng.choices((1, 2, 3, 4), (4, 3, 2, 1))[0]
    return {
        "cluster": _cluster(rng, mode),
        "namespace": name,
        **({"nodePools": pools} if pools else {}),
        **({"computeClasses": classes} if classes else {}),
        "workloads": {f"w{index}": _workload(rng, pools, classes) for index in range(count)},
    }


def _cluster(rng: random.Random, mode: str) -> dict[str, Any]:
    if mode == "existing":
        return {"mode": "existing"}
    zonal = mode == "standard" and rng.random() < 0.5
    place = rng.choice(("us-central1", "europe-west4"))
    return {"mode": mode, "name": "llm", "location": f"{place}-b" if zonal else place, "network": "default"}


def _pools(rng: random.Random) -> dict[str, dict[str, Any]]:
    return {f"p{index}": _pool(rng) for index in range(rng.randint(1, 3))}


def _pool(rng: random.Random) -> dict[str, Any]:
    shape = _shape(rng)
    pool: dict[str, Any] = {"machineType": shape.machine_type, "maxNodes": rng.randint(1, 5)}
    if rng.random() < 0.3:
        pool["diskSizeGb"] = rng.choice((50, 61, 80, 120, 300))
    if rng.random() < 0.3:
        pool["spot"] = True
    if rng.random() < 0.2:
        pool["taints"] = [{"key": "team", "value": "a", "effect": rng.choice(("NoSchedule", "PreferNoSchedule"))}]
    counts = [count for count in shape.local_ssd_counts or () if count]
    if counts and rng.random() < 0.15:
        pool["localSsd"] = {"count": rng.choice(counts), "use": "ephemeral"}
    return pool


def _shape(rng: random.Random) -> MachineShape:
    wanted = _L4 if rng.random() < 0.8 else None
    return rng.choice([shape for shape in all_shapes(wanted) if not shape.attached])


def _classes(rng: random.Random, pools: dict[str, Any], name: str) -> dict[str, Any]:
    made = [{"machineType": _shape(rng).machine_type, "spot": rng.random() < 0.5} for _ in range(rng.randint(1, 2))]
    own = [{"nodePool": pool} for pool in pools]
    return {f"{name}-class": {"priorities": made if rng.random() < 0.5 else own}}


def _workload(rng: random.Random, pools: dict[str, Any], classes: dict[str, Any]) -> dict[str, Any]:
    workload: dict[str, Any] = {
        "model": {"id": rng.choice(_MODELS)},
        "engine": dict(rng.choice(_ENGINES)),
        "fit": "warn",
    }
    pool = rng.choice([*pools]) if pools and rng.random() < 0.7 else None
    shape = find_shape(pools[pool]["machineType"]) if pool else _shape(rng)
    assert shape is not None, "the pools are of known shapes"
    if rng.random() < 0.2:
        workload["gpus"] = rng.choice([gpus for gpus in (1, 2, 4) if gpus <= shape.gpus])
    if rng.random() < 0.15:
        workload["autoscaling"] = {"minReplicas": rng.randint(1, 2), "maxReplicas": rng.randint(2, 4)}
    else:
        workload["replicas"] = rng.randint(0, 4)
    if classes and rng.random() < 0.6:
        workload["computeClass"] = next(iter(classes))
    elif pool:
        workload["nodePool"] = pool
    if rng.random() < 0.6:
        workload["resources"] = {"requests": _requests(rng, shape)}
    return workload


def _requests(rng: random.Random, shape: MachineShape) -> dict[str, str]:
    """Amounts at, just below and just above a share of what a node leaves to pods."""
    room = allocatable(shape, boot_disk_gib=100, local_ssds=0)
    share = rng.choice((1, 2, shape.gpus or 1))
    asked: dict[str, str] = {}
    if rng.random() < 0.5:
        asked["cpu"] = f"{max(100, room.cpu_millis // share - rng.choice((0, 1, 100, 300, 700, 900)))}m"
    if rng.random() < 0.5:
        asked["memory"] = f"{max(8192, room.memory_bytes // MIB // share - rng.choice((0, 1, 100, 500, 1000, 2000)))}Mi"
    if rng.random() < 0.5:
        asked["ephemeralStorage"] = rng.choice(_DISKS)
    return asked
