"""What nodes of a pool have beside their machine type."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from l4serve.config.frozen import frozen
from l4serve.planning.machines.allocatable import Allocatable, free_for_workloads
from l4serve.planning.machines.shapes import MachineShape


@frozen(kw_only=True)
class NodeSetup:
    """What nodes have beside their machine type."""

    boot_disk_gib: int = 100
    local_ssds: int = 0
    """Disks that back ephemeral storage; a machine type that takes fewer gets as many as it takes."""
    features: AbstractSet[str] | None = None
    """Cluster features as `daemonset_overhead` takes them; None is all of them."""

    def node(self, shape: MachineShape) -> Allocatable:
        """What one node of a shape leaves for workloads."""
        return free_for_workloads(
            shape,
            boot_disk_gib=self.boot_disk_gib,
            local_ssds=min(self.local_ssds, shape.most_local_ssds),
            features=self.features,
        )


DEFAULT_SETUP = NodeSetup()
