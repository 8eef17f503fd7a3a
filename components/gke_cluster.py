"""The GKE cluster: Standard, Autopilot, or one that exists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi

from components.gke_cluster_inputs import common_inputs
from components.google import gcp
from l4serve.config.frozen import frozen
from l4serve.config.keys.cluster_options import SystemPool
from l4serve.planning.gke.cluster_plan import ClusterPlan, ManagedPlan
from l4serve.planning.gke.kubeconfig import render_kubeconfig
from l4serve.planning.gke.node_scopes import NODE_SCOPES
from l4serve.planning.machines.system_machines import system_disk_type
from l4serve.planning.values.names import shorten

_CREATE_MINUTES = "45m"


@frozen(kw_only=True)
class GkeClusterArgs:
    """The cluster's plan; for one that is made, its network and node identity too."""

    plan: ClusterPlan
    network: pulumi.Input[str] | None = None
    subnetwork: pulumi.Input[str | None] = None
    node_service_account: pulumi.Input[str | None] = None
    after: Sequence[pulumi.Resource] = ()


class GkeCluster(pulumi.ComponentResource):
    """A cluster and, on Standard, its small system pool. Manages no GPU pool, network, role or Kubernetes object."""

    cluster_name: pulumi.Output[str | None]
    location: pulumi.Output[str | None]
    endpoint: pulumi.Output[str | None]
    """Host name or address of the control plane that the kubeconfig uses; None for a cluster known by kubeconfig."""
    ca_certificate: pulumi.Output[str | None]
    """Base64 certificate of the cluster's own authority."""
    kubeconfig: pulumi.Output[str | None]
    """Secret. Kubeconfig text with exec credentials, or the path of the user's own; None is the ambient one."""
    context: str | None
    """Context of the kubeconfig; None is its current one."""
    network: pulumi.Input[str] | None
    """The network that it is in; None for a cluster known by kubeconfig alone."""
    subnetwork: pulumi.Input[str | None]
    """The subnetwork that its nodes are in, which GKE picks where the config names none; None likewise."""
    resource: pulumi.CustomResource | None
    """The cloud resource, for `deleted_with`; None unless the stack makes the cluster.

    Not typed as Google's: Pulumi evaluates these annotations, and that loads all of Google's container module.
    """

    def __init__(self, name: str, args: GkeClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:cluster:GkeCluster", name, None, opts)
        self._name, self._args, self._plan = name, args, args.plan
        self.context = args.plan.context
        self.network, self.subnetwork = args.network, args.subnetwork
        self.resource = None
        if args.plan.managed is not None:
            self.resource = cluster = self._make_cluster(args.plan.managed)
            system_pool = self._make_system_pools(args.plan.managed, cluster)
            self._publish_made(args.plan.managed, cluster, system_pool)
        elif args.plan.looked_up:
            self._publish_found()
        else:
            self._publish_kubeconfig()
        outputs = {"clusterName": self.cluster_name, "location": self.location, "endpoint": self.endpoint}
        self.register_outputs({**outputs, "kubeconfig": self.kubeconfig})

    def _make_cluster(self, managed: ManagedPlan) -> gcp.container.Cluster:
        inputs = common_inputs(self._plan, managed)
        inputs |= self._standard_inputs(managed) if managed.system_pool else self._autopilot_inputs()
        return gcp.container.Cluster(
            f"{self._name}-cluster",
            network=self._args.network,
            subnetwork=self._args.subnetwork,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=self._plan.protect,
                depends_on=list(self._args.after),
                # Both describe the throw-away default pool, which is gone when the provider reads the cluster back.
                ignore_changes=["nodeConfig", "initialNodeCount"] if managed.system_pool else None,
                custom_timeouts=pulumi.CustomTimeouts(create=_CREATE_MINUTES),
            ),
            **inputs,
        )

    def _standard_inputs(self, managed: ManagedPlan) -> dict[str, Any]:
        """What only a Standard cluster takes. The default pool is made with the nodes' own account, then removed."""
        return {
            "remove_default_node_pool": True,
            "initial_node_count": 1,
            "node_config": gcp.container.ClusterNodeConfigArgs(
                service_account=self._args.node_service_account,
                oauth_scopes=list(NODE_SCOPES),
                shielded_instance_config=gcp.container.ClusterNodeConfigShieldedInstanceConfigArgs(
                    enable_secure_boot=True, enable_integrity_monitoring=True
                ),
                workload_metadata_config=gcp.container.ClusterNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
            ),
            "node_locations": list(self._plan.zones) or None,
            "enable_shielded_nodes": True,
            "datapath_provider": "ADVANCED_DATAPATH",
            "default_max_pods_per_node": managed.max_pods_per_node,
            "workload_identity_config": gcp.container.ClusterWorkloadIdentityConfigArgs(
                workload_pool=f"{self._plan.project}.svc.id.goog"
            ),
            "addons_config": gcp.container.ClusterAddonsConfigArgs(
                gcs_fuse_csi_driver_config=gcp.container.ClusterAddonsConfigGcsFuseCsiDriverConfigArgs(
                    enabled=managed.gcs_fuse
                ),
                dns_cache_config=gcp.container.ClusterAddonsConfigDnsCacheConfigArgs(enabled=True),
            ),
            "cluster_autoscaling": gcp.container.ClusterClusterAutoscalingArgs(
                enabled=False, autoscaling_profile=managed.autoscaling_profile
            ),
            "node_pool_defaults": gcp.container.ClusterNodePoolDefaultsArgs(
                node_config_defaults=gcp.container.ClusterNodePoolDefaultsNodeConfigDefaultsArgs(
                    gcfs_config=gcp.container.ClusterNodePoolDefaultsNodeConfigDefaultsGcfsConfigArgs(
                        enabled=managed.image_streaming
                    ),
                    insecure_kubelet_readonly_port_enabled="FALSE",
                )
            ),
        }

    def _autopilot_inputs(self) -> dict[str, Any]:
        """What only an Autopilot cluster takes: the nodes' account goes in as a default of auto-provisioning."""
        return {
            "enable_autopilot": True,
            "cluster_autoscaling": gcp.container.ClusterClusterAutoscalingArgs(
                auto_provisioning_defaults=gcp.container.ClusterClusterAutoscalingAutoProvisioningDefaultsArgs(
                    service_account=self._args.node_service_account, oauth_scopes=list(NODE_SCOPES)
                )
            ),
        }

    def _make_system_pools(self, managed: ManagedPlan, cluster: gcp.container.Cluster) -> gcp.container.NodePool | None:
        """The pool for GKE's own pods, and one for each machine type that may take its place; returns the first."""
        pool = managed.system_pool
        if pool is None:
            return None
        for machine in pool.fallback_machine_types:
            suffix = f"system-{machine}"
            self._make_system_pool(managed, pool, cluster, f"{suffix}-pool", shorten(suffix, 40), machine, least=0)
        return self._make_system_pool(
            managed, pool, cluster, "system-pool", "system", pool.machine_type, least=pool.min_nodes
        )

    def _make_system_pool(
        self,
        managed: ManagedPlan,
        pool: SystemPool,
        cluster: gcp.container.Cluster,
        suffix: str,
        name: str,
        machine: str,
        *,
        least: int,
    ) -> gcp.container.NodePool:
        return gcp.container.NodePool(
            f"{self._name}-{suffix}",
            name=name,
            cluster=cluster.name,
            location=self._plan.location,
            node_locations=list(pool.zones) or None,
            project=self._plan.project,
            initial_node_count=managed.system_nodes if least else 0,
            autoscaling=gcp.container.NodePoolAutoscalingArgs(
                total_min_node_count=least, total_max_node_count=pool.max_nodes, location_policy="BALANCED"
            ),
            management=gcp.container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
            network_config=gcp.container.NodePoolNetworkConfigArgs(enable_private_nodes=self._plan.private_nodes),
            node_config=gcp.container.NodePoolNodeConfigArgs(
                machine_type=machine,
                disk_size_gb=pool.disk_size_gb,
                disk_type=system_disk_type(machine),
                image_type="COS_CONTAINERD",
                service_account=self._args.node_service_account,
                oauth_scopes=list(NODE_SCOPES),
                labels={"l4serve.dev/pool": "system"},
                resource_labels=dict(managed.resource_labels) or None,
                shielded_instance_config=gcp.container.NodePoolNodeConfigShieldedInstanceConfigArgs(
                    enable_secure_boot=True, enable_integrity_monitoring=True
                ),
                workload_metadata_config=gcp.container.NodePoolNodeConfigWorkloadMetadataConfigArgs(
                    mode="GKE_METADATA"
                ),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=self._plan.protect,
                deleted_with=None if self._plan.outlives_a_destroy else cluster,
                ignore_changes=["initialNodeCount"],
            ),
        )

    def _publish_made(
        self, managed: ManagedPlan, cluster: gcp.container.Cluster, system_pool: gcp.container.NodePool | None
    ) -> None:
        ready = system_pool.id if system_pool else cluster.id
        address = _dns_endpoint(cluster) if managed.control_plane.kubeconfig_endpoint == "dns" else cluster.endpoint
        self.cluster_name = pulumi.Output.all(cluster.name, ready).apply(lambda known: known[0])
        self.location = cluster.location.apply(lambda location: location)
        self.endpoint = address.apply(lambda host: host)
        if managed.network.subnetwork is None:
            self.subnetwork = cluster.subnetwork.apply(lambda path: path)
        self.ca_certificate = cluster.master_auth.apply(lambda auth: auth and auth.cluster_ca_certificate)
        self._publish_exec_kubeconfig()

    def _publish_found(self) -> None:
        found = gcp.container.get_cluster_output(
            name=self._plan.name or "",
            location=self._plan.location,
            project=self._plan.project,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        self.cluster_name = found.name.apply(lambda name: name)
        self.location = pulumi.Output.from_input(self._plan.location)
        self.network, self.subnetwork = found.network, found.subnetwork.apply(lambda path: path)
        self.endpoint = found.apply(
            lambda known: _found_dns_endpoint(known.control_plane_endpoints_configs) or known.endpoint
        )
        self.ca_certificate = found.master_auths.apply(lambda auths: auths[0].cluster_ca_certificate)
        self._publish_exec_kubeconfig()

    def _publish_exec_kubeconfig(self) -> None:
        name = self._plan.name or ""
        parts = pulumi.Output.all(self.endpoint, self.ca_certificate)
        self.kubeconfig = pulumi.Output.secret(parts.apply(lambda p: render_kubeconfig(name, str(p[0]), p[1])))

    def _publish_kubeconfig(self) -> None:
        path = self._plan.kubeconfig and str(Path(self._plan.kubeconfig).expanduser())
        self.cluster_name = pulumi.Output.from_input(None)
        self.location = pulumi.Output.from_input(None)
        self.endpoint = pulumi.Output.from_input(None)
        self.ca_certificate = pulumi.Output.from_input(None)
        self.kubeconfig = pulumi.Output.secret(path)


def _dns_endpoint(cluster: gcp.container.Cluster) -> pulumi.Output[str | None]:
    """The DNS endpoint, unknown as long as the cluster is: the inputs beside it would pass for the whole block."""
    endpoint: pulumi.Output[str | None] = cluster.control_plane_endpoints_config.apply(
        lambda config: config.dns_endpoint_config.endpoint if config and config.dns_endpoint_config else None
    )
    known: pulumi.Output[str | None] = cluster.id.apply(lambda _: endpoint)
    return known


def _found_dns_endpoint(configs: Sequence[Any]) -> str | None:
    """The DNS endpoint of a looked-up cluster when it admits traffic from outside Google's network."""
    admitted = [dns for config in configs for dns in config.dns_endpoint_configs if dns.allow_external_traffic]
    return admitted[0].endpoint if admitted else None
