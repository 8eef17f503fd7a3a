"""How long a new pod takes until it serves, phase by phase, and how long it may take. Data: data/start.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import ceil
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.model_source import BucketSource, HyperdiskSource
from l4serve.config.keys.workload import Workload
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.memory.host import image_gib
from l4serve.planning.workload.pods.compile_cache import compiles, is_eager, unused_cache

_MIB_PER_GIB = 1024


@frozen(kw_only=True)
class StartPlan:
    """Seconds of each phase of a pod's start, in their order; None where the size of the weights is not known."""

    node: int
    """A machine is made and has its driver."""
    image: int
    """The image is pulled."""
    weights: int | None
    """The weights come to the host."""
    load: int | None
    """They go to the GPU."""
    compile: int
    graphs: int
    server: int
    """The engine's imports and measurements."""
    budget: int
    """How long the container may take to serve, which the start-up probe allows."""

    @property
    def total(self) -> int | None:
        """Seconds from the wish for a pod to its first answer, on a new node."""
        return None if self.container is None else self.node + self.image + self.container

    @property
    def container(self) -> int | None:
        """Seconds from the start of the container to its first answer."""
        if self.weights is None or self.load is None:
            return None
        return self.weights + self.load + self.compile + self.graphs + self.server


def plan_start(workload: Workload, pool: PoolPlan | None, image: str, files_gib: float | None, gpus: int) -> StartPlan:
    """The start of a workload's pod on a pool (None: on a machine that GKE makes).

    `files_gib` are its weights as files, None where nobody knows.
    All GPUs of a pod load their parts at once.
    """
    table: Mapping[str, Any] = _table()
    engine: Mapping[str, int] = table["engines"][workload.engine.kind]
    rate, slow = weights_rate(workload)
    filled = workload.compile_cache is not None and unused_cache(workload) is None
    compiled = "compiledBefore" if filled else "compile"
    eager = is_eager(workload)
    known = files_gib is not None
    size = files_gib or 0.0
    phases = {
        "load": ceil(size * table["load"]["secondsPerGib"] / gpus),
        "compile": engine[compiled] if compiles(workload) else 0,
        "graphs": 0 if eager else engine["graphs"],
        "server": engine["server"],
    }
    return StartPlan(
        node=table["node"]["seconds"],
        image=_image_seconds(workload, pool, image),
        weights=ceil(size * _MIB_PER_GIB / rate) if known else None,
        load=phases["load"] if known else None,
        compile=phases["compile"],
        graphs=phases["graphs"],
        server=phases["server"],
        budget=_budget(size * _MIB_PER_GIB / slow, sum(phases.values())),
    )


def weights_rate(workload: Workload) -> tuple[float, float]:
    """MiB/s at which the weights reach one pod, as expected and as the budget reckons."""
    source, table = workload.model.source, _table()["weights"]
    if isinstance(source, HyperdiskSource):
        shared = source.throughput_mibps / max(1, workload.most_replicas)
        return shared, shared / 4
    if isinstance(source, BucketSource):
        row = table[f"bucket/{source.reader if source.reader == 'streamer' else source.cache}"]
    else:
        row = table[source.kind if source else "hub"]
    return float(row["mibps"]), float(row["slow"])


def hub_rate() -> float:
    """MiB/s at which the weights are expected to come from the Hub."""
    return float(_table()["weights"]["hub"]["mibps"])


def deadline_seconds(start: StartPlan, grace: int) -> int:
    """How long a rollout may show no progress: the budget, and what comes before it.

    That is a node and an image that come late, or a GPU that an old pod keeps until its `grace` is over.
    """
    table = _table()["budget"]
    return start.budget + int(max(table["slack"], 2 * (start.node + start.image), grace + start.image))


def _budget(slow_weights: float, rest: int) -> int:
    """A load that is ended early only begins anew: the slow download, and several times what comes after it."""
    table = _table()["budget"]
    return ceil(float(max(table["least"], slow_weights + table["factor"] * rest)))


def _image_seconds(workload: Workload, pool: PoolPlan | None, image: str) -> int:
    table = _table()["image"]
    if pool is not None and pool.disks.secondary_boot_disk_mode == "CONTAINER_IMAGE_CACHE":
        return int(table["cachedSeconds"])
    if table["streamedRegistry"] in image.partition("/")[0] and (pool is None or pool.software.image_streaming):
        return int(table["streamedSeconds"])
    return ceil(image_gib(workload.engine.kind) * _MIB_PER_GIB / float(table["mibps"]))


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "start.yaml")
    return table
