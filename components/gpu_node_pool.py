"""A pool of GPU nodes."""

from __future__ import annotations

import pulumi

from components.google import gcp
from components.namespaced import aliases
from l4serve.config.frozen import frozen
from l4serve.planning.gke.node_scopes import NODE_SCOPES
from l4serve.planning.gke.pool_plan import PoolPlan

_TAINT_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
_AFFINITY = {"any": "ANY_RESERVATION", "specific": "SPECIFIC_RESERVATION"}
_RESERVATION_KEY = "compute.googleapis.com/reservation-name"
_CREATE_MINUTES = "45m"


@frozen(kw_only=True)
class GpuNodePoolArgs:
    """The pool's plan and the cluster that it joins. `cluster` (the resource) takes the pool along when it goes."""

    plan: PoolPlan
    cluster_name: pulumi.Input[str | None]
    location: pulumi.Input[str | None]
    project: pulumi.Input[str | None] = None
    node_service_account: pulumi.Input[str | None] = None
    cluster: gcp.container.Cluster | None = None


class GpuNodePool(pulumi.ComponentResource):
    """One autoscaled node pool. Its GKE name carries a hash of what cannot change, so a replacement comes first."""

    pool_name: pulumi.Output[str]
    """Name in GKE."""
    resource: gcp.container.NodePool

    def __init__(self, name: str, args: GpuNodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:cluster:GpuNodePool", name, None, opts)
        self._name, self._args, self._plan = name, args, args.plan
        self.resource = self._make_pool()
        self.pool_name = self.resource.name
        self.register_outputs({"poolName": self.pool_name})

    def _make_pool(self) -> gcp.container.NodePool:
        plan = self._plan
        return gcp.container.NodePool(
            plan.program_name,
            name=plan.resource_name,
            cluster=self._args.cluster_name,
            location=self._args.location,
            project=self._args.project,
            node_locations=list(plan.size.zones) or None,
            initial_node_count=plan.size.initial_nodes,
            max_pods_per_node=plan.software.max_pods_per_node,
            autoscaling=gcp.container.NodePoolAutoscalingArgs(
                total_min_node_count=plan.size.min_nodes,
                total_max_node_count=plan.size.max_nodes,
                location_policy=plan.size.location_policy,
            ),
            management=gcp.container.NodePoolManagementArgs(
                auto_repair=plan.upkeep.auto_repair, auto_upgrade=plan.upkeep.auto_upgrade
            ),
            network_config=None
            if plan.software.private_nodes is None
            else gcp.container.NodePoolNetworkConfigArgs(enable_private_nodes=plan.software.private_nodes),
            queued_provisioning=gcp.container.NodePoolQueuedProvisioningArgs(enabled=True)
            if plan.supply.queued
            else None,
            placement_policy=gcp.container.NodePoolPlacementPolicyArgs(
                type="COMPACT", policy_name=plan.supply.placement_policy
            )
            if plan.supply.compact_placement
            else None,
            upgrade_settings=self._upgrade_settings(),
            node_drain_configs=[
                gcp.container.NodePoolNodeDrainConfigArgs(
                    respect_pdb_during_node_pool_deletion=True,
                    pdb_timeout_duration=f"{plan.upkeep.upgrade.pdb_timeout_seconds}s",
                )
            ],
            node_config=self._node_config(),
            opts=pulumi.ResourceOptions(
                parent=self,
                aliases=aliases(*{f"{self._name}-pool", f"{plan.resource_name}-pool"} - {plan.program_name}),
                protect=plan.protect,
                deleted_with=self._args.cluster,
                # Left alone, the provider deletes first; the hash in the name lets both pools stand side by side.
                delete_before_replace=False,
                # The autoscaler owns the size after creation; a changed minimum must not replace the pool.
                ignore_changes=["initialNodeCount"],
                custom_timeouts=pulumi.CustomTimeouts(create=_CREATE_MINUTES, delete=_CREATE_MINUTES),
            ),
        )

    def _node_config(self) -> gcp.container.NodePoolNodeConfigArgs:
        plan = self._plan
        return gcp.container.NodePoolNodeConfigArgs(
            machine_type=plan.machine_type,
            guest_accelerators=[self._accelerator()],
            disk_size_gb=plan.disks.size_gb,
            disk_type=plan.disks.type,
            image_type=plan.software.image_type,
            spot=True if plan.supply.provisioning == "spot" else None,
            flex_start=True if plan.supply.provisioning == "flex-start" else None,
            max_run_duration=f"{plan.supply.max_run_seconds}s" if plan.supply.max_run_seconds else None,
            reservation_affinity=self._reservation_affinity(),
            ephemeral_storage_local_ssd_config=gcp.container.NodePoolNodeConfigEphemeralStorageLocalSsdConfigArgs(
                local_ssd_count=plan.disks.local_ssds
            )
            if plan.ephemeral_ssds
            else None,
            local_nvme_ssd_block_config=gcp.container.NodePoolNodeConfigLocalNvmeSsdBlockConfigArgs(
                local_ssd_count=plan.disks.local_ssds
            )
            if plan.disks.local_ssds and not plan.ephemeral_ssds
            else None,
            secondary_boot_disks=[
                gcp.container.NodePoolNodeConfigSecondaryBootDiskArgs(
                    disk_image=plan.disks.secondary_boot_disk, mode=plan.disks.secondary_boot_disk_mode
                )
            ]
            if plan.disks.secondary_boot_disk
            else None,
            labels=dict(plan.labels),
            taints=[
                gcp.container.NodePoolNodeConfigTaintArgs(
                    key=taint.key, value=taint.value, effect=_TAINT_EFFECTS[taint.effect]
                )
                for taint in plan.taints
            ],
            resource_labels=dict(plan.resource_labels) or None,
            service_account=self._args.node_service_account,
            oauth_scopes=list(NODE_SCOPES),
            gcfs_config=gcp.container.NodePoolNodeConfigGcfsConfigArgs(enabled=plan.software.image_streaming),
            gvnic=gcp.container.NodePoolNodeConfigGvnicArgs(enabled=True),
            shielded_instance_config=gcp.container.NodePoolNodeConfigShieldedInstanceConfigArgs(
                enable_secure_boot=plan.software.secure_boot, enable_integrity_monitoring=True
            ),
            workload_metadata_config=gcp.container.NodePoolNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
        )

    def _accelerator(self) -> gcp.container.NodePoolNodeConfigGuestAcceleratorArgs:
        driver = gcp.container.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs(
            gpu_driver_version=self._plan.software.driver_version
        )
        return gcp.container.NodePoolNodeConfigGuestAcceleratorArgs(
            type=self._plan.accelerator, count=self._plan.gpus, gpu_driver_installation_config=driver
        )

    def _reservation_affinity(self) -> gcp.container.NodePoolNodeConfigReservationAffinityArgs | None:
        """A pool without a reservation says so: else it would eat one that is open to any."""
        reservation = self._plan.supply.reservation
        if reservation is None:
            return gcp.container.NodePoolNodeConfigReservationAffinityArgs(consume_reservation_type="NO_RESERVATION")
        named = bool(reservation.values)
        return gcp.container.NodePoolNodeConfigReservationAffinityArgs(
            consume_reservation_type=_AFFINITY[reservation.affinity],
            key=_RESERVATION_KEY if named else None,
            values=list(reservation.values) if named else None,
        )

    def _upgrade_settings(self) -> gcp.container.NodePoolUpgradeSettingsArgs | None:
        upgrade = self._plan.upkeep.upgrade
        if upgrade.strategy == "SHORT_LIVED":
            return None  # GKE sets it for flex-start pools by itself; the provider does not know the word.
        if upgrade.strategy == "SURGE":
            return gcp.container.NodePoolUpgradeSettingsArgs(
                strategy="SURGE", max_surge=upgrade.max_surge, max_unavailable=upgrade.max_unavailable
            )
        return gcp.container.NodePoolUpgradeSettingsArgs(
            strategy="BLUE_GREEN",
            blue_green_settings=gcp.container.NodePoolUpgradeSettingsBlueGreenSettingsArgs(
                node_pool_soak_duration=f"{upgrade.pool_soak_seconds}s",
                standard_rollout_policy=gcp.container.NodePoolUpgradeSettingsBlueGreenSettingsStandardRolloutPolicyArgs(
                    batch_node_count=upgrade.batch_nodes, batch_soak_duration=f"{upgrade.batch_soak_seconds}s"
                ),
            ),
        )
