"""The volumes of a planned workload's pods, and where its container mounts them."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi_kubernetes as k8s

from l4serve.planning.workload.pods.encryption import CERTIFICATE_FOLDER, TlsPlan
from l4serve.planning.workload.pods.storage import StoragePlan, VolumePlan

_TLS_VOLUME = "serving-tls"
_FUSE_DRIVER = "gcsfuse.csi.storage.gke.io"


def planned_volumes(storage: StoragePlan, tls: TlsPlan | None = None) -> Iterator[k8s.core.v1.VolumeArgs]:
    """The volumes of weights, adapters, caches, compiled code and the engine's certificate."""
    if tls is not None:
        secret = k8s.core.v1.SecretVolumeSourceArgs(secret_name=tls.secret)
        yield k8s.core.v1.VolumeArgs(name=_TLS_VOLUME, secret=secret)
    for volume in storage.volumes:
        yield _volume(volume)


def planned_mounts(storage: StoragePlan, tls: TlsPlan | None = None) -> Iterator[k8s.core.v1.VolumeMountArgs]:
    """Where the engine's container finds them."""
    if tls is not None:
        yield k8s.core.v1.VolumeMountArgs(name=_TLS_VOLUME, mount_path=CERTIFICATE_FOLDER, read_only=True)
    for volume in storage.volumes:
        if volume.mount_path is not None:
            yield k8s.core.v1.VolumeMountArgs(
                name=volume.name,
                mount_path=volume.mount_path,
                read_only=volume.read_only,
                sub_path=volume.sub_path or None,
            )


def _volume(volume: VolumePlan) -> k8s.core.v1.VolumeArgs:
    if volume.claim is not None:
        claim = k8s.core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=volume.claim, read_only=volume.read_only)
        return k8s.core.v1.VolumeArgs(name=volume.name, persistent_volume_claim=claim)
    if volume.bucket is not None:
        csi = k8s.core.v1.CSIVolumeSourceArgs(
            driver=_FUSE_DRIVER, read_only=volume.read_only, volume_attributes=dict(volume.bucket)
        )
        return k8s.core.v1.VolumeArgs(name=volume.name, csi=csi)
    return k8s.core.v1.VolumeArgs(name=volume.name, empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs(medium="Memory"))
