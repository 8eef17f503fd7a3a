"""The workloads of a stack: namespace, gateway, token, and what each model is served by, in their order."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from components.bucket_roles import BucketRoles, BucketRolesArgs
from components.endpoint_picker import EndpointPicker, EndpointPickerArgs
from components.gke_cluster import GkeCluster
from components.hf_token_secret import ApiKeySecret, HfTokenSecret, HfTokenSecretArgs
from components.inference_service import InferenceService, InferenceServiceArgs
from components.namespaced import aliases
from components.pod_cloud_roles import PodCloudRoles, PodCloudRolesArgs
from components.pod_network_policy import PodNetworkPolicy, PodNetworkPolicyArgs
from components.serving_gateway import ServingGateway, ServingGatewayArgs
from components.weight_store import WeightStore, WeightStoreArgs
from components.workload_alerts import WorkloadAlerts, WorkloadAlertsArgs
from components.workload_monitoring import WorkloadMonitoring, WorkloadMonitoringArgs
from components.workload_route import WorkloadRoute, WorkloadRouteArgs
from l4serve.planning.stack.bucket_grants import bucket_grants
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.names import MANAGED_BY
from l4serve.planning.workload.reach.network_guard import NetworkGuard
from l4serve.planning.workload.workload_plan import WorkloadPlan
from stacks.deployed import Resources
from stacks.settings import secret, token


def make_workloads(
    planned: StackPlan,
    cluster: GkeCluster,
    provider: k8s.Provider,
    nodes: list[pulumi.Resource],
    deployed: Resources,
    before: Mapping[str, frozenset[str]],
) -> tuple[ServingGateway | None, list[pulumi.Output[str]]]:
    """All that a stack has in Kubernetes beside nodes' objects; `deployed` is what its state holds.

    Those that are `before` a workload, by names, serve before it is made or changed: larger ones, each with fewer.
    Returns the gateway that exposes it, if one does, and the names of its Deployments, each known once its pods serve.
    """
    namespace = _make_namespace(planned, provider)
    gateway = _make_gateway(planned, cluster, provider, namespace)
    hub: HfTokenSecret | None = None
    if planned.secret is not None:
        args = HfTokenSecretArgs(
            plan=planned.secret,
            namespace=planned.namespace,
            token=token(),
            project=planned.dashboard_project,
            after=_once_apis_are_on(cluster),
            google_accounts=_accounts_that_mount(planned),
        )
        opts = pulumi.ResourceOptions(providers=[provider], depends_on=namespace)
        hub = HfTokenSecret("hf-token", args, opts=opts)
    roles = _make_roles(planned, cluster, deployed)
    services: dict[str, InferenceService] = {}
    for workload in sorted(planned.workloads, key=lambda each: len(before[each.name])):
        store = _make_store(workload, planned, cluster, provider, hub, namespace)
        guards = _make_guards(workload, cluster, provider, namespace)
        larger = [services[name] for name in sorted(before[workload.name])]
        needed = [*namespace, *nodes, *guards, *store, *(roles.of(workload.name) if roles else []), *larger]
        service = services[workload.name] = InferenceService(
            workload.object_name,
            InferenceServiceArgs(
                plan=workload,
                secret_name=hub.secret_name if hub else None,
                provider_class=hub.provider_class if hub else None,
            ),
            opts=pulumi.ResourceOptions(providers=[provider], depends_on=needed),
        )
        if workload.service.pod_monitoring or workload.scale.autoscaling:
            monitored = WorkloadMonitoringArgs(plan=workload, deployment_name=service.deployment_name)
            opts = pulumi.ResourceOptions(providers=[provider], depends_on=namespace)
            WorkloadMonitoring(workload.object_name, monitored, opts=opts)
        if workload.alerts is not None:
            watched = WorkloadAlertsArgs(plan=workload, alerts=workload.alerts, project=planned.dashboard_project)
            opts = pulumi.ResourceOptions(providers=[provider], depends_on=[*namespace, cluster])
            WorkloadAlerts(f"{workload.object_name}-alerts", watched, opts=opts)
        if workload.route is not None and gateway is not None:
            route = WorkloadRouteArgs(plan=workload, route=workload.route)
            ready = [gateway.ready, service, *_make_picker(workload, provider, service)]
            opts = pulumi.ResourceOptions(providers=[provider], depends_on=ready)
            WorkloadRoute(workload.object_name, route, opts=opts)
    return gateway, [service.deployment_name for service in services.values()]


def _accounts_that_mount(planned: StackPlan) -> list[str]:
    """Google accounts of the pods that mount the token."""
    mounting = (each.identity for each in planned.workloads if each.secret and each.secret.mounted_class)
    return sorted({identity.google_account for identity in mounting if identity.google_account})


def _once_apis_are_on(cluster: GkeCluster) -> list[pulumi.Resource]:
    """What exists by then: the cluster, where the stack makes it."""
    return [cluster.resource] if cluster.resource else []


def _make_picker(workload: WorkloadPlan, provider: k8s.Provider, pods: pulumi.Resource) -> list[pulumi.Resource]:
    """Pool and picker come after the pods that they look at, and before the route that asks them."""
    if workload.route is None or workload.route.picker is None:
        return []
    picker = workload.route.picker
    closed = _close(workload, workload.network and workload.network.picker, picker.name, picker.labels, provider, pods)
    args = EndpointPickerArgs(plan=workload, picker=picker)
    opts = pulumi.ResourceOptions(providers=[provider], depends_on=[pods, *closed])
    return [EndpointPicker(f"{workload.object_name}-picker", args, opts=opts)]


def _make_gateway(
    planned: StackPlan, cluster: GkeCluster, provider: k8s.Provider, namespace: list[pulumi.Resource]
) -> ServingGateway | None:
    if planned.gateway is None:
        return None
    made = cluster.resource
    args = ServingGatewayArgs(
        plan=planned.gateway,
        namespace=planned.namespace,
        network=cluster.network,
        subnetwork=cluster.subnetwork,
        after=[made] if made else [],
    )
    return ServingGateway("gateway", args, opts=pulumi.ResourceOptions(providers=[provider], depends_on=namespace))


def _make_roles(planned: StackPlan, cluster: GkeCluster, deployed: Resources) -> BucketRoles | None:
    grants = bucket_grants(planned.workloads)
    if not grants:
        return None
    args = BucketRolesArgs(grants=grants, after=_once_apis_are_on(cluster), deployed=deployed)
    return BucketRoles("bucket-roles", args)


def _make_store(
    workload: WorkloadPlan,
    planned: StackPlan,
    cluster: GkeCluster,
    provider: k8s.Provider,
    secret: HfTokenSecret | None,
    namespace: list[pulumi.Resource],
) -> list[pulumi.Resource]:
    """What must stand before the pods of a workload whose weights lie on a disk."""
    store = workload.storage.store
    if store is None:
        return []
    args = WeightStoreArgs(
        plan=workload,
        store=store,
        project=planned.cluster.project,
        secret_name=secret.secret_name if secret else None,
        provider_class=secret.provider_class if secret else None,
        after=_once_apis_are_on(cluster),
    )
    guard = workload.network and workload.network.fill
    closed = _close(workload, guard, store.fill_name, store.fill_labels, provider, namespace)
    opts = pulumi.ResourceOptions(providers=[provider], depends_on=[*namespace, *closed])
    return WeightStore(f"{workload.object_name}-weights", args, opts=opts).ready


def _close(
    workload: WorkloadPlan,
    guard: NetworkGuard | None,
    name: str,
    labels: Mapping[str, str],
    provider: k8s.Provider,
    after: pulumi.Resource | list[pulumi.Resource],
) -> list[pulumi.Resource]:
    """The policy of pods that stand beside a workload's own, which comes before them."""
    if guard is None:
        return []
    args = PodNetworkPolicyArgs(plan=workload, guard=guard, object_name=name, selector=labels)
    opts = pulumi.ResourceOptions(providers=[provider], depends_on=after)
    return [PodNetworkPolicy(name, args, opts=opts)]


def _make_guards(
    workload: WorkloadPlan, cluster: GkeCluster, provider: k8s.Provider, namespace: list[pulumi.Resource]
) -> list[pulumi.Resource]:
    """What must stand before the pods: policies that close them, the key that they ask for, who they act as."""
    made: list[pulumi.Resource] = []
    if workload.network is not None:
        closed = PodNetworkPolicyArgs(plan=workload, guard=workload.network)
        opts = pulumi.ResourceOptions(providers=[provider], depends_on=namespace)
        made.append(PodNetworkPolicy(workload.object_name, closed, opts=opts))
    key = workload.engine.key_source
    if key is not None and key.source != "existing":
        source = HfTokenSecretArgs(
            plan=key,
            namespace=workload.namespace,
            token=secret(key.config_key) if key.config_key else None,
            project=workload.identity.project,
            after=_once_apis_are_on(cluster),
        )
        opts = pulumi.ResourceOptions(providers=[provider], depends_on=namespace)
        made.append(ApiKeySecret(f"{workload.object_name}-api-key", source, opts=opts))
    if workload.identity.google_account is not None:
        roles = PodCloudRolesArgs(
            identity=workload.identity, namespace=workload.namespace, after=_once_apis_are_on(cluster)
        )
        made.append(PodCloudRoles(workload.object_name, roles))
    return made


def _make_namespace(planned: StackPlan, provider: k8s.Provider) -> list[pulumi.Resource]:
    name = f"{planned.namespace}-namespace"
    opts = pulumi.ResourceOptions(provider=provider, aliases=aliases("namespace"))
    if not planned.create_namespace:
        # Pulumi lets go of what it reads: a namespace that the stack once made would be deleted with all in it.
        return [k8s.core.v1.Namespace.get(name, planned.namespace, opts=opts)]
    labels = {"app.kubernetes.io/managed-by": MANAGED_BY, "pod-security.kubernetes.io/enforce": planned.pod_security}
    metadata = k8s.meta.v1.ObjectMetaArgs(name=planned.namespace, labels=labels)
    return [k8s.core.v1.Namespace(name, metadata=metadata, opts=opts)]
