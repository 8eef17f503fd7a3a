"""How large a boot disk must be for what pods write."""

from __future__ import annotations

import math

from l4serve.config.data_file import load_data
from l4serve.planning.machines.allocatable import allocatable, capacity
from l4serve.planning.machines.shapes import MachineShape, all_shapes, default_accelerator
from l4serve.planning.values.quantity import GIB

DEFAULT_BOOT_DISK_GB = 100
"""What a node gets unless its pool states, or its pods need, another."""
LARGEST_BOOT_DISK_GB = 65536
_STEP_GB = 50


def pool_disk_gb(pods_gib: float) -> int:
    """The boot disk of a pool whose nodes hold pods that write so many GiB in all: 100 GB, or more in steps of 50.

    The images lie in the part that GKE reserves, which is at least 41 GiB of the disk.
    """
    whole = boot_disk_gib(math.ceil(pods_gib) * GIB, at_least=DEFAULT_BOOT_DISK_GB)
    return min(math.ceil(whole / _STEP_GB) * _STEP_GB, LARGEST_BOOT_DISK_GB)


def boot_disk_gib(ephemeral_bytes: int, *, at_least: int) -> int:
    """The smallest boot disk, in GiB, whose node has so much ephemeral storage for pods.

    What GKE reserves of a disk is a share of it up to a bound, so what is left grows with the disk.
    """
    size = max(at_least, math.ceil(ephemeral_bytes / GIB))
    while (short := ephemeral_bytes - _for_pods(size)) > 0:
        size += math.ceil(short / GIB)
    return size


def disk_for_images(images_gib: float) -> int:
    """The smallest boot disk, in GiB, on which unpacked images of that size lie before the kubelet evicts pods.

    Pods are evicted where less than a tenth of the file system is free (data/gke_reserved.yaml); what the operating
    system takes of the disk is not in it.
    """
    share = 1 - float(load_data(__file__, "gke_reserved.yaml")["eviction"]["ephemeralShare"])
    size = math.ceil(images_gib)
    while capacity(_any_shape(), boot_disk_gib=size).ephemeral_bytes * share < images_gib * GIB:
        size += 1
    return size


def _for_pods(boot_disk_gib: int) -> int:
    return allocatable(_any_shape(), boot_disk_gib=boot_disk_gib).ephemeral_bytes


def _any_shape() -> MachineShape:
    """The machine makes no difference to its disk."""
    return all_shapes(default_accelerator())[0]
