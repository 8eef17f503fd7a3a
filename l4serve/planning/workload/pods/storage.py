"""Volumes, identity and sidecar that weights, adapters and compiled code need, and what GKE refuses of them.

Data: data/gcs_fuse.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.gathering import refuse_all
from l4serve.config.keys.model_source import BootDiskSource, BucketSource, ClaimSource, HyperdiskSource
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.engines.model_location import CACHE_FOLDER, MODEL_FOLDER, adapter_folder, bucket_adapters, streams
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.machines.autopilot_sizes import Requests
from l4serve.planning.values.quantity import GIB, parse_bytes, parse_cpu
from l4serve.planning.workload.nodes.node_choice import Place
from l4serve.planning.workload.pods.claims import on_one_node
from l4serve.planning.workload.pods.compile_cache import unused_cache
from l4serve.planning.workload.pods.start import hub_rate, weights_rate
from l4serve.planning.workload.pods.weight_disk import WeightStore, disk_billed, disk_problems, fill_notes, weight_store

_PREFIX = "gke-gcsfuse/"
"""Of the annotations that size the injected sidecar."""

_ADAPTER = "adapter"
"""How what is read of an adapter is kept: on the disk, up to a bound."""


@frozen(kw_only=True)
class VolumePlan:
    """One volume of the pods, and where the engine's container finds it."""

    name: str
    mount_path: str | None
    """None for a volume that only the sidecar mounts."""
    read_only: bool = True
    sub_path: str = ""
    claim: str | None = None
    """PersistentVolumeClaim."""
    bucket: Mapping[str, str] | None = None
    """Attributes of a Cloud Storage FUSE volume; None where it is none. A volume of neither kind is memory."""


@frozen(kw_only=True)
class StoragePlan:
    """What the pods mount beside /dev/shm and the token."""

    volumes: tuple[VolumePlan, ...]
    annotations: Mapping[str, str]
    """Annotations of the pods, which make GKE inject the sidecar."""
    sidecar: Requests | None
    """What the injected container asks for, beside the engine's."""
    readable: tuple[str, ...]
    """Buckets that the pods' identity is granted the reading of."""
    role: str | None
    """Role of that grant."""
    ungranted: tuple[str, ...] = ()
    """Buckets that the pods read and whose reading the config leaves to the user."""
    has_switch: bool = False
    """Whether the config has model.source.manageAccess, which leaves the reading of all those buckets to the user."""
    store: WeightStore | None
    on_one_node: bool = False
    """Whether the weights reach the pods of one node alone, so that an old pod must go before a new one starts."""
    notes: tuple[str, ...]


NOTHING = StoragePlan(volumes=(), annotations={}, sidecar=None, readable=(), role=None, store=None, notes=())


def plan_storage(
    path: str,
    name: str,
    workload: Workload,
    place: Place,
    cluster: ClusterPlan,
    *,
    checkpoint_gib: float | None,
    sidecar: Requests | None,
) -> StoragePlan:
    """The storage of a workload at a YAML path; `name` is that of its Kubernetes objects.

    `checkpoint_gib` are the weights as files; None where nobody knows. Raises ConfigError for a source that the pods
    could not reach.
    """
    refuse_all(_problems(path, workload, place, cluster, checkpoint_gib))
    source, mounts = workload.model.source, [*_bucket_mounts(workload)]
    volumes = [VolumePlan(name=each, mount_path=folder, bucket=_attributes(uri, c)) for each, folder, uri, c in mounts]
    store = weight_store(name, workload, place, cluster, checkpoint_gib)
    if isinstance(source, ClaimSource):
        volumes.append(VolumePlan(name="weights", mount_path=MODEL_FOLDER, claim=source.claim, sub_path=source.path))
    elif store is not None:
        below = source.path if isinstance(source, BootDiskSource) else ""
        volumes.append(VolumePlan(name="weights", mount_path=MODEL_FOLDER, claim=store.claim, sub_path=below))
    if (cache_at := workload.compile_cache) is not None:
        volumes.append(
            VolumePlan(
                name="compile-cache",
                mount_path=CACHE_FOLDER,
                read_only=False,
                claim=cache_at.claim,
                sub_path=cache_at.path,
            )
        )
    in_memory = any(each[3] == "memory" for each in mounts)
    if in_memory:
        volumes.append(VolumePlan(name=_table()["cacheVolume"], mount_path=None, read_only=False))
    readable, ungranted = granted_buckets(workload), _ungranted_buckets(workload)
    if not (volumes or readable or ungranted):
        return NOTHING
    return StoragePlan(
        volumes=tuple(volumes),
        annotations=_annotations(sidecar) if sidecar else {},
        sidecar=sidecar,
        readable=readable,
        role=_table()["role"] if readable or ungranted else None,
        ungranted=ungranted,
        has_switch=isinstance(workload.model.source, BucketSource),
        store=store,
        on_one_node=on_one_node(workload),
        notes=tuple(_notes(workload, place, cluster, store)),
    )


def sidecar_requests(workload: Workload, files_gib: float) -> Requests | None:
    """What the FUSE sidecar asks for: its own, and the files that it keeps; None where no bucket is mounted."""
    mounts = tuple(_bucket_mounts(workload))
    if not mounts:
        return None
    row = _table()["sidecar"]
    kept = math.ceil(files_gib * _table()["cacheHeadroom"])
    caches = {each[3] for each in mounts if each[0] == "weights"}
    memory = row["memoryGib"] + (kept if "memory" in caches else 0)
    disk = row["diskGib"] + (kept if caches & {"disk", "localSsd"} else 0)
    disk += _table()["adapterGib"] * sum(each[3] == _ADAPTER for each in mounts)
    return Requests(row["cpuMillis"], memory * GIB, disk * GIB)


def annotated_sidecar(annotations: Mapping[str, str]) -> Requests | None:
    """What annotations of a pod ask for the FUSE sidecar; None where they ask for none."""
    if annotations.get(_table()["annotation"]) != "true":
        return None
    asked = {kind: annotations.get(f"{_PREFIX}{kind}-request", "0") for kind in ("cpu", "memory", "ephemeral-storage")}
    return Requests(parse_cpu(asked["cpu"]), parse_bytes(asked["memory"]), parse_bytes(asked["ephemeral-storage"]))


def _bucket_mounts(workload: Workload) -> Iterator[tuple[str, str, str, str]]:
    """Of each folder of a bucket that FUSE mounts: name of the volume, folder in the container, address, cache."""
    source = workload.model.source
    if isinstance(source, BucketSource) and not streams(workload):
        yield "weights", MODEL_FOLDER, source.uri, source.cache
    for index, adapter in enumerate(bucket_adapters(workload.engine)):
        yield f"adapter-{index}", adapter_folder(adapter), adapter.path, _ADAPTER


def granted_buckets(workload: Workload) -> tuple[str, ...]:
    """Buckets that the stack lets the pods read for what lies there, those of their service account left out."""
    return () if _leaves_access(workload) else _read_buckets(workload)


def _ungranted_buckets(workload: Workload) -> tuple[str, ...]:
    """The same where the config leaves it to the user."""
    return _read_buckets(workload) if _leaves_access(workload) else ()


def _leaves_access(workload: Workload) -> bool:
    source = workload.model.source
    return isinstance(source, BucketSource) and not source.manage_access


def _read_buckets(workload: Workload) -> tuple[str, ...]:
    source = workload.model.source
    uris = [source.uri] if isinstance(source, BucketSource) else []
    uris += [adapter.path for adapter in bucket_adapters(workload.engine)]
    buckets = dict.fromkeys(_parts(uri)[0] for uri in uris)
    return tuple(bucket for bucket in buckets if bucket not in workload.service_account.buckets)


def _attributes(uri: str, cached: str) -> Mapping[str, str]:
    table, (bucket, folder) = _table(), _parts(uri)
    kept = {"none": "uncached", _ADAPTER: "adapterCached"}.get(cached, "cached")
    options = [*table["mount"], *table[kept]]
    if folder:
        options.insert(0, f"only-dir={folder}")
    return {"bucketName": bucket, "mountOptions": ",".join(options)}


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, folder = uri.removeprefix("gs://").strip("/").partition("/")
    return bucket, folder


def _annotations(sidecar: Requests) -> Mapping[str, str]:
    disk = f"{sidecar.ephemeral_bytes // GIB}Gi"
    return {
        _table()["annotation"]: "true",
        f"{_PREFIX}cpu-request": f"{sidecar.cpu_millis}m",
        f"{_PREFIX}cpu-limit": "0",
        f"{_PREFIX}memory-request": f"{sidecar.memory_bytes // GIB}Gi",
        f"{_PREFIX}memory-limit": "0",
        f"{_PREFIX}ephemeral-storage-request": disk,
        f"{_PREFIX}ephemeral-storage-limit": disk,
    }


def _problems(
    path: str, workload: Workload, place: Place, cluster: ClusterPlan, checkpoint_gib: float | None
) -> Iterator[Problem]:
    source, at = workload.model.source, f"{path}.model.source"
    mounts = tuple(_bucket_mounts(workload))
    if mounts and cluster.managed is not None and not cluster.managed.gcs_fuse:
        message = "the cluster has no Cloud Storage FUSE driver, so the pods would wait for their volume"
        yield Problem("cluster.gcsFuse", message, "set cluster.gcsFuse: true")
    pools = [pool for _, pool in place.alternatives] or [place.pool]
    if isinstance(source, BucketSource) and source.cache == "localSsd" and not streams(workload):
        without = next((pool for pool in pools if pool is None or not pool.ephemeral_ssds), "none")
        if without != "none":
            name = without.name if isinstance(without, PoolPlan) else None
            remedy = f"set nodePools.{name}.localSsd: {{}}" if name else "set cache: disk"
            yield Problem(f"{at}.cache", "the nodes have no local SSDs for their pods' files", remedy)
    if on_one_node(workload) and workload.most_replicas > 1:
        message = "a ReadWriteOnce claim reaches only the pods of one node: the others would stay Pending"
        yield Problem(f"{at}.access", message, "use a claim that many nodes can read, or one replica")
    yield from disk_problems(path, workload, place, cluster, checkpoint_gib)


def _notes(workload: Workload, place: Place, cluster: ClusterPlan, store: WeightStore | None) -> Iterator[str]:
    source = workload.model.source
    buckets = isinstance(source, BucketSource) or bool(bucket_adapters(workload.engine))
    if buckets and cluster.managed is None:
        driver = " and the Cloud Storage FUSE driver" if any(_bucket_mounts(workload)) else ""
        needs = f"a bucket is read by the pods' identity: the cluster needs Workload Identity{driver}"
        yield f"{needs}, which the stack does not turn on in a cluster that it did not make"
    if isinstance(source, HyperdiskSource):
        yield from fill_notes(place, cluster)
        if store is not None:
            yield f"{disk_billed(store)}, and none of it is in the plan's cost"
        yield from _slow_disk(workload, source)
    if unused := unused_cache(workload):
        yield f"the compile cache stays empty: {unused}"


def _slow_disk(workload: Workload, source: HyperdiskSource) -> Iterator[str]:
    """A Hyperdisk whose pods, reading at once, have the weights later than from the Hub."""
    shared, hub = weights_rate(workload)[0], hub_rate()
    if shared < hub:
        pods = workload.most_replicas
        slow = f"{pods} pods that start at once share {source.throughput_mibps} MiB/s of the disk"
        fix = f"throughputMibps: {math.ceil(hub * pods)}"
        yield f"{slow}, and have the weights later than from the Hub: {fix} is as fast, and is billed"


def model_of_hub(workload: Workload) -> bool:
    """Whether the model is read from the Hub, by the pods or by the Job that fills their disk."""
    source = workload.model.source
    return source is None or isinstance(source, HyperdiskSource)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "gcs_fuse.yaml")
    return table
