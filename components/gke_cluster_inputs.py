"""Inputs that Standard and Autopilot clusters share, from the plan. No component: the cluster's file uses it."""

from __future__ import annotations

from typing import Any

from components.google import gcp
from l4serve.planning.gke.cluster_plan import ClusterPlan, ManagedPlan


def common_inputs(plan: ClusterPlan, managed: ManagedPlan) -> dict[str, Any]:
    """Keyword arguments of gcp.container.Cluster, network and node identity apart."""
    access = managed.control_plane
    return {
        "name": plan.name,
        "location": plan.location,
        "project": plan.project,
        "deletion_protection": managed.deletion_protection,
        "min_master_version": managed.min_version,
        "networking_mode": "VPC_NATIVE",
        "ip_allocation_policy": gcp.container.ClusterIpAllocationPolicyArgs(
            cluster_secondary_range_name=managed.network.pods_range,
            services_secondary_range_name=managed.network.services_range,
        ),
        "private_cluster_config": gcp.container.ClusterPrivateClusterConfigArgs(
            enable_private_nodes=plan.private_nodes, enable_private_endpoint=access.ip != "public"
        ),
        "master_authorized_networks_config": _authorized_networks(managed),
        "control_plane_endpoints_config": gcp.container.ClusterControlPlaneEndpointsConfigArgs(
            dns_endpoint_config=gcp.container.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
                allow_external_traffic=access.dns
            ),
            ip_endpoints_config=gcp.container.ClusterControlPlaneEndpointsConfigIpEndpointsConfigArgs(
                enabled=access.ip != "none"
            ),
        ),
        **_scaling_inputs(managed),
        **_operations_inputs(managed),
        **_security_inputs(managed),
    }


def _scaling_inputs(managed: ManagedPlan) -> dict[str, Any]:
    """The profile that GKE's own reading of metrics needs; nothing where no workload asks for it."""
    if managed.hpa_profile is None:
        return {}
    return {"pod_autoscaling": gcp.container.ClusterPodAutoscalingArgs(hpa_profile=managed.hpa_profile)}


def _authorized_networks(managed: ManagedPlan) -> gcp.container.ClusterMasterAuthorizedNetworksConfigArgs | None:
    """Present though empty, as an absent block admits every address; absent where there is no address to guard.

    There a block would turn addresses back on: terraform-google-modules/terraform-google-kubernetes-engine#2216.
    """
    access = managed.control_plane
    if access.ip == "none":
        return None
    return gcp.container.ClusterMasterAuthorizedNetworksConfigArgs(
        gcp_public_cidrs_access_enabled=False,
        cidr_blocks=[
            gcp.container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(cidr_block=cidr, display_name=name)
            for cidr, name in access.authorized_networks
        ],
    )


def _operations_inputs(managed: ManagedPlan) -> dict[str, Any]:
    monitoring = managed.monitoring
    components = ["SYSTEM_COMPONENTS", *monitoring.components, *(["DCGM"] if monitoring.dcgm else [])]
    return {
        "release_channel": gcp.container.ClusterReleaseChannelArgs(channel=managed.release_channel),
        "monitoring_config": gcp.container.ClusterMonitoringConfigArgs(
            enable_components=components,
            managed_prometheus=gcp.container.ClusterMonitoringConfigManagedPrometheusArgs(
                enabled=monitoring.managed_prometheus
            ),
        ),
        "logging_config": gcp.container.ClusterLoggingConfigArgs(enable_components=["SYSTEM_COMPONENTS", "WORKLOADS"]),
        "gateway_api_config": gcp.container.ClusterGatewayApiConfigArgs(
            channel="CHANNEL_STANDARD" if managed.gateway_api else "CHANNEL_DISABLED"
        ),
        "cost_management_config": gcp.container.ClusterCostManagementConfigArgs(enabled=managed.cost_allocation),
        "maintenance_policy": _maintenance(managed),
        "resource_labels": dict(managed.resource_labels) or None,
    }


def _maintenance(managed: ManagedPlan) -> gcp.container.ClusterMaintenancePolicyArgs | None:
    window = managed.maintenance
    if window is None:
        return None
    return gcp.container.ClusterMaintenancePolicyArgs(
        recurring_window=gcp.container.ClusterMaintenancePolicyRecurringWindowArgs(
            start_time=window.start, end_time=window.end, recurrence=window.recurrence
        ),
        maintenance_exclusions=[
            gcp.container.ClusterMaintenancePolicyMaintenanceExclusionArgs(
                exclusion_name=exclusion.name,
                start_time=exclusion.start,
                end_time=exclusion.end,
                exclusion_options=gcp.container.ClusterMaintenancePolicyMaintenanceExclusionExclusionOptionsArgs(
                    scope=exclusion.scope
                ),
            )
            for exclusion in window.exclusions
        ],
    )


def _security_inputs(managed: ManagedPlan) -> dict[str, Any]:
    key = managed.database_encryption_key
    on = managed.secret_manager
    return {
        "database_encryption": gcp.container.ClusterDatabaseEncryptionArgs(state="ENCRYPTED", key_name=key)
        if key
        else None,
        "secret_manager_config": gcp.container.ClusterSecretManagerConfigArgs(enabled=True) if on else None,
        "secret_sync_config": gcp.container.ClusterSecretSyncConfigArgs(enabled=True) if on else None,
        "security_posture_config": gcp.container.ClusterSecurityPostureConfigArgs(
            mode="BASIC", vulnerability_mode="VULNERABILITY_DISABLED"
        ),
    }
