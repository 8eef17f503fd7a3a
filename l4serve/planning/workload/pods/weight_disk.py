"""Disks that hold a workload's weights: one that nodes boot with, or a Hyperdisk ML that a Job fills.

Data: data/weight_disk.yaml.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.model_source import BootDiskSource, HyperdiskSource
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.machines.system_machines import system_disk_type
from l4serve.planning.values.names import shorten
from l4serve.planning.values.quantity import GIB
from l4serve.planning.workload.nodes.node_choice import Place

_ELSEWHERE = "use another source, such as kind: bucket"


@frozen(kw_only=True)
class WeightStore:
    """A disk with weights, behind the claim that pods mount."""

    kind: Literal["bootDisk", "hyperdisk"]
    claim: str
    """Name of the PersistentVolumeClaim, and with the namespace before it of the PersistentVolume.

    It ends in a hash of what lies on the disk: other weights are another disk, which new pods mount while old ones read
    theirs.
    """
    size_gb: int
    node_path: str | None = None
    """Folder of the node that holds a boot disk."""
    node_labels: Mapping[str, str] | None = None
    """Labels of the nodes that have the boot disk."""
    zone: str | None = None
    """Zone of a Hyperdisk."""
    throughput_mibps: int | None = None
    fill_type: str | None = None
    """Type of the disk that the Job fills: it attaches to the system nodes, which a Hyperdisk ML does not."""
    revision: str | None = None
    """Commit of the Hub that the Job downloads."""

    @property
    def settle_name(self) -> str:
        """Name of the Job that waits until the filled disk has left its node."""
        return f"{self.claim}-settle"

    @property
    def fill_name(self) -> str:
        """Name of the Job that fills a Hyperdisk, of its claim and of its policy."""
        return f"{self.claim}-fill"

    @property
    def fill_labels(self) -> Mapping[str, str]:
        """Of the Job's pods, which no Service of the workload may select."""
        return {"app.kubernetes.io/name": "weights", "app.kubernetes.io/instance": self.fill_name}


def weight_store(
    name: str, workload: Workload, place: Place, cluster: ClusterPlan, checkpoint_gib: float | None
) -> WeightStore | None:
    """The disk of a workload whose Kubernetes objects have that name; None where its weights lie on none.

    `checkpoint_gib` are the weights as files; None where nobody knows.
    """
    source, pool, table = workload.model.source, place.pool, _table()
    system = cluster.managed.system_pool if cluster.managed else None
    if isinstance(source, BootDiskSource) and pool is not None and pool.disks.secondary_boot_disk is not None:
        image = pool.disks.secondary_boot_disk.rpartition("/")[2]
        return WeightStore(
            kind="bootDisk",
            claim=_claim(name, pool.disks.secondary_boot_disk, source.path),
            size_gb=1,
            node_path=table["bootDiskFolder"].format(image=image),
            node_labels=dict(place.placing.node_selector),
        )
    if isinstance(source, HyperdiskSource) and pool is not None:
        size, zone = _disk_gb(source, checkpoint_gib), pool.size.zones[0]
        return WeightStore(
            kind="hyperdisk",
            claim=_claim(name, workload.model.id, workload.model.revision, size, zone),
            size_gb=size,
            zone=zone,
            throughput_mibps=source.throughput_mibps,
            fill_type=system_disk_type(system.machine_type if system else ""),
            revision=workload.model.revision,
        )
    return None


def _claim(name: str, *content: object) -> str:
    """The claim of a workload's disk with some content, short enough for the Jobs that are named after it."""
    digest = hashlib.sha256("\n".join(map(str, content)).encode()).hexdigest()[:8]
    return f"{shorten(name, 38)}-weights-{digest}"


def fill_requests() -> Mapping[str, str]:
    """What the pod of the Job that fills a disk asks for."""
    requests: Mapping[str, str] = _table()["fill"]["requests"]
    return requests


def fill_limits() -> Mapping[str, str]:
    """What that pod may use."""
    limits: Mapping[str, str] = _table()["fill"]["limits"]
    return limits


def fill_disk() -> str:
    """Ephemeral storage of the Jobs' pods."""
    return str(_table()["fill"]["ephemeral"])


def _disk_gb(source: HyperdiskSource, checkpoint_gib: float | None) -> int:
    return source.size_gb or max(10, math.ceil((checkpoint_gib or 0.0) * _table()["hyperdisk"]["headroom"] * 1.0737))


def disk_problems(
    path: str, workload: Workload, place: Place, cluster: ClusterPlan, checkpoint_gib: float | None
) -> Iterator[Problem]:
    """What stands against the disk of a workload at a YAML path."""
    source = workload.model.source
    if isinstance(source, BootDiskSource):
        yield from _boot_disk_problems(path, place, cluster)
    if isinstance(source, HyperdiskSource):
        yield from _hyperdisk_problems(path, place, cluster, source, checkpoint_gib)


def _boot_disk_problems(path: str, place: Place, cluster: ClusterPlan) -> Iterator[Problem]:
    at, pool = f"{path}.model.source", place.pool
    if pool is None or place.placing.compute_class is not None:
        yield Problem(f"{at}.kind", "a boot disk belongs to one node pool of the stack", _pooled(cluster))
    elif pool.disks.secondary_boot_disk is None or pool.disks.secondary_boot_disk_mode is not None:
        message = f"node pool {pool.name!r} has no secondary boot disk of data"
        fix = (
            f"set nodePools.{pool.name}.secondaryBootDisk: {{image: projects/PROJECT/global/images/IMAGE, mode: null}}"
        )
        yield Problem(f"{at}.kind", message, fix)


def _hyperdisk_problems(
    path: str, place: Place, cluster: ClusterPlan, source: HyperdiskSource, checkpoint_gib: float | None
) -> Iterator[Problem]:
    at, pool = f"{path}.model.source", place.pool
    if cluster.managed is None and not cluster.looked_up:
        what = "a Hyperdisk is made for a node pool of the stack, which makes none in a cluster that a kubeconfig names"
        yield Problem(f"{at}.kind", what, f"set cluster.name and cluster.location, or {_ELSEWHERE}")
        return
    if pool is None or place.placing.compute_class is not None:
        yield Problem(f"{at}.kind", "a Hyperdisk is made for one node pool of the stack", _pooled(cluster))
        return
    families = _table()["hyperdisk"]["families"]
    if pool.machine_type.partition("-")[0] not in families:
        message = f"Hyperdisk ML attaches to no {pool.machine_type}"
        yield Problem(f"{at}.kind", message, f"use a machine of {', '.join(families)}, or another source")
    if len(pool.size.zones) != 1:
        message = f"a Hyperdisk lies in one zone, and node pool {pool.name!r} has {len(pool.size.zones) or 'unnamed'}"
        yield Problem(f"{at}.kind", message, f"set nodePools.{pool.name}.zones to one zone")
    elif cluster.system_zones is not None and pool.size.zones[0] not in cluster.system_zones:
        message = f"the Job that fills the disk runs on a system node, of which {pool.size.zones[0]} has none"
        yield Problem(f"{at}.kind", message, f"add {pool.size.zones[0]} to cluster.systemPool.zones")
    if source.size_gb is None and checkpoint_gib is None:
        yield Problem(f"{at}.sizeGb", "nobody knows how large the weights are", "set sizeGb")
    elif source.size_gb is not None and checkpoint_gib is not None and source.size_gb * 1e9 < checkpoint_gib * GIB:
        least = math.ceil(checkpoint_gib * GIB / 1e9 * 1.05)
        yield Problem(f"{at}.sizeGb", f"the weights take {checkpoint_gib:.1f} GiB", f"set sizeGb: {least}")
    else:
        yield from _throughput_problems(at, source, _disk_gb(source, checkpoint_gib) * 1e9 / GIB)


def _pooled(cluster: ClusterPlan) -> str:
    """How a workload comes to run on one node pool of the stack."""
    if cluster.mode == "autopilot":
        return f"Autopilot has no node pools: {_ELSEWHERE}, or a standard cluster with nodePools"
    return "set nodePool to one of nodePools"


def fill_notes(place: Place, cluster: ClusterPlan) -> Iterator[str]:
    """What an operator should know of the Job that fills a Hyperdisk."""
    yield "a Job downloads the weights to a disk before the first pod, and anew for another model or revision"
    zone = next(iter(place.pool.size.zones), "") if place.pool is not None else ""
    if cluster.managed is None and zone:
        yield f"the Job that fills the disk needs a node of {zone} without GPUs, which the stack does not make"
    if cluster.managed is not None and cluster.system_zones is None and place.pool is not None:
        where = f"the Job runs on a system node of {zone}, and GKE chooses the zones of those"
        yield f"{where}: cluster.systemPool.zones: [{zone}] makes sure of one"


def disk_billed(store: WeightStore) -> str:
    """What is billed of a Hyperdisk while it exists, in words."""
    disk = f"a Hyperdisk ML of {store.size_gb} GB is billed, with its {store.throughput_mibps} MiB/s, while it exists"
    return f"{disk}, and so are the {store.fill_type} that the Job filled and its image, which stay beside it"


def _throughput_problems(at: str, source: HyperdiskSource, size_gib: float) -> Iterator[Problem]:
    """What a Hyperdisk ML of that size can be asked to read at."""
    limits = _table()["hyperdisk"]
    least = max(limits["least"], math.ceil(limits["leastPerGib"] * size_gib))
    most = min(limits["most"], math.floor(limits["mostPerGib"] * size_gib))
    if not least <= source.throughput_mibps <= most:
        what = f"a Hyperdisk ML of {size_gib:,.0f} GiB reads {least:,} to {most:,} MiB/s"
        fix = f"set throughputMibps: {min(max(source.throughput_mibps, least), most)}"
        yield Problem(f"{at}.throughputMibps", what, fix)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "weight_disk.yaml")
    return table
