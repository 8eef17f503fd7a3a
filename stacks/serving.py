"""The wiring: plan, components, outputs."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from components.endpoint_picker import EndpointPicker, EndpointPickerArgs
from components.gke_cluster import GkeCluster, GkeClusterArgs
from components.gke_network import GkeNetwork, GkeNetworkArgs
from components.gpu_compute_class import GpuComputeClass, GpuComputeClassArgs
from components.gpu_node_pool import GpuNodePool, GpuNodePoolArgs
from components.hf_token_secret import ApiKeySecret, HfTokenSecret, HfTokenSecretArgs
from components.inference_service import InferenceService, InferenceServiceArgs
from components.node_identity import NodeIdentity, NodeIdentityArgs
from components.pod_cloud_roles import PodCloudRoles, PodCloudRolesArgs
from components.pod_network_policy import PodNetworkPolicy, PodNetworkPolicyArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.serving_dashboard import ServingDashboard, ServingDashboardArgs
from components.serving_gateway import ServingGateway, ServingGatewayArgs
from components.weight_store import WeightStore, WeightStoreArgs
from components.workload_alerts import WorkloadAlerts, WorkloadAlertsArgs
from components.workload_monitoring import WorkloadMonitoring, WorkloadMonitoringArgs
from components.workload_route import WorkloadRoute, WorkloadRouteArgs
from l4serve.config.problems import ConfigError, Problem
from l4serve.config.stack_file import PROJECT, TOKEN_KEY
from l4serve.planning.stack.exchange import exchange_problems, pods_json
from l4serve.planning.stack.preview_lines import preview_lines
from l4serve.planning.stack.stack_plan import TOKEN_WAYS, StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.values.names import MANAGED_BY
from l4serve.planning.workload.workload_plan import WorkloadPlan
from stacks.deployed import PODS_OUTPUT, deployed_pods
from stacks.ownership import Cluster, own_kubernetes_objects
from stacks.settings import load_settings, refusal, secret, token


def build() -> None:
    """Builds the stack that Pulumi runs. Raises pulumi.RunError with every reason why its config cannot work."""
    stack = load_settings()
    try:
        planned = plan_stack(stack)
    except ConfigError as error:
        raise refusal(error) from None
    if stuck := tuple(exchange_problems(deployed_pods(), planned)):
        raise refusal(ConfigError(stuck))
    _require_secrets(planned)
    _show_notes(planned)
    cluster, identity = _make_cluster(planned)
    provider = _kubernetes_provider(planned, cluster)
    own_kubernetes_objects(Cluster(stack=stack.name, kubeconfig=cluster.kubeconfig, context=cluster.context))
    nodes: list[pulumi.Resource] = [*_make_pools(planned, cluster, identity), *_make_classes(planned, provider)]
    gateway = _make_workloads(planned, cluster, provider, nodes)
    _make_dashboard(planned, cluster)
    _export(planned, cluster, gateway)


def _show_notes(planned: StackPlan) -> None:
    """A line for each workload, and all notes in one message, in a preview alone: an update shows its preview first."""
    if not pulumi.runtime.is_dry_run():
        return
    for line in preview_lines(planned):
        pulumi.log.info(line)
    shown = list(dict.fromkeys(f"  {note.level}: {note.path}: {note.text}" for note in planned.notes))
    if shown:
        pulumi.log.warn("\n".join([f"{len(shown)} note{'s'[: len(shown) > 1]} on this stack:", *shown]))


def _require_secrets(planned: StackPlan) -> None:
    if planned.token_missing:
        models = ", ".join(planned.token_missing)
        gated = f"the models of {models} are gated on the Hugging Face Hub and the stack has no token"
        raise refusal(ConfigError([Problem(TOKEN_KEY, gated, TOKEN_WAYS)]))
    if planned.keys_missing:
        raise refusal(
            ConfigError(
                Problem(
                    f"{PROJECT}:{name}",
                    "workloads take their key from this secret",
                    f"pulumi config set --secret {name}",
                )
                for name in planned.keys_missing
            )
        )


def _make_cluster(planned: StackPlan) -> tuple[GkeCluster, NodeIdentity | None]:
    plan = planned.cluster
    if plan.managed is None:
        return GkeCluster("cluster", GkeClusterArgs(plan=plan)), None
    apis = ProjectServices("apis", ProjectServicesArgs(apis=plan.managed.apis, project=plan.project))
    network = GkeNetwork("network", GkeNetworkArgs(plan=plan.managed.network, after=apis.services))
    identity = NodeIdentity("nodes", NodeIdentityArgs(plan=plan.managed.identity, after=apis.services))
    args = GkeClusterArgs(
        plan=plan,
        network=network.network,
        subnetwork=network.subnetwork,
        node_service_account=identity.email,
        after=apis.services,
    )
    return GkeCluster("cluster", args), identity


def _make_pools(planned: StackPlan, cluster: GkeCluster, identity: NodeIdentity | None) -> list[GpuNodePool]:
    return [
        GpuNodePool(
            pool.name,
            GpuNodePoolArgs(
                plan=pool,
                cluster_name=cluster.cluster_name,
                location=cluster.location,
                project=planned.cluster.project,
                node_service_account=identity.email if identity else planned.cluster.node_service_account,
                cluster=cluster.resource,
            ),
        )
        for pool in planned.node_pools
        if pool.create
    ]


def _make_classes(planned: StackPlan, provider: k8s.Provider) -> list[GpuComputeClass]:
    opts = pulumi.ResourceOptions(providers=[provider])
    return [GpuComputeClass(c.name, GpuComputeClassArgs(plan=c), opts=opts) for c in planned.compute_classes]


def _kubernetes_provider(planned: StackPlan, cluster: GkeCluster) -> k8s.Provider:
    """A provider with a stable identity: an unknown kubeconfig at preview must not replace every object."""
    return k8s.Provider(
        "kubernetes",
        # Only an argument left out lets the provider look at KUBECONFIG: a null is a kubeconfig without clusters.
        kubeconfig=None if planned.cluster.ambient else cluster.kubeconfig.apply(lambda text: text or None),
        context=cluster.context,
        cluster_identifier=planned.cluster.identifier,
        enable_server_side_apply=True,
        # Else a token that changes under the same name takes Secret and Deployments down before it puts them back.
        enable_secret_mutable=True,
        delete_unreachable=False,
        # What a killed update made is in no state: the next one takes it over, where "already exists" would end it.
        upsert_existing_objects=True,
        opts=pulumi.ResourceOptions(deleted_with=cluster.resource) if cluster.resource else None,
    )


def _make_workloads(
    planned: StackPlan, cluster: GkeCluster, provider: k8s.Provider, nodes: list[pulumi.Resource]
) -> ServingGateway | None:
    namespace = _make_namespace(planned, provider)
    gateway = _make_gateway(planned, cluster, provider, namespace)
    hub: HfTokenSecret | None = None
    if planned.secret is not None:
        args = HfTokenSecretArgs(
            plan=planned.secret,
            namespace=planned.namespace,
            token=token(),
            project=planned.cluster.project,
            after=[cluster.resource] if cluster.resource else [],
        )
        opts = pulumi.ResourceOptions(providers=[provider], depends_on=namespace)
        hub = HfTokenSecret("hf-token", args, opts=opts)
    for workload in planned.workloads:
        store = _make_store(workload, planned, cluster, provider, hub, namespace)
        guards = _make_guards(workload, cluster, provider, namespace)
        service = InferenceService(
            workload.object_name,
            InferenceServiceArgs(
                plan=workload,
                secret_name=hub.secret_name if hub else None,
                provider_class=hub.provider_class if hub else None,
            ),
            opts=pulumi.ResourceOptions(providers=[provider], depends_on=[*namespace, *nodes, *guards, *store]),
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
            before = [gateway.ready, service, *_make_picker(workload, provider, service)]
            opts = pulumi.ResourceOptions(providers=[provider], depends_on=before)
            WorkloadRoute(workload.object_name, route, opts=opts)
    return gateway


def _make_picker(workload: WorkloadPlan, provider: k8s.Provider, pods: pulumi.Resource) -> list[pulumi.Resource]:
    """Pool and picker come after the pods that they look at, and before the route that asks them."""
    if workload.route is None or workload.route.picker is None:
        return []
    args = EndpointPickerArgs(plan=workload, picker=workload.route.picker)
    opts = pulumi.ResourceOptions(providers=[provider], depends_on=pods)
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


def _make_store(
    workload: WorkloadPlan,
    planned: StackPlan,
    cluster: GkeCluster,
    provider: k8s.Provider,
    secret: HfTokenSecret | None,
    namespace: list[pulumi.Resource],
) -> list[pulumi.Resource]:
    """What must stand before the pods of a workload whose weights lie elsewhere than on the Hub."""
    storage = workload.storage
    if storage.store is None and not storage.readable:
        return []
    args = WeightStoreArgs(
        plan=workload,
        project=planned.cluster.project,
        secret_name=secret.secret_name if secret else None,
        after=[cluster.resource] if cluster.resource else [],
    )
    opts = pulumi.ResourceOptions(providers=[provider], depends_on=namespace)
    return WeightStore(f"{workload.object_name}-weights", args, opts=opts).ready


def _make_guards(
    workload: WorkloadPlan, cluster: GkeCluster, provider: k8s.Provider, namespace: list[pulumi.Resource]
) -> list[pulumi.Resource]:
    """What must stand before the pods: policies that close them, the key that they ask for, roles that they have."""
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
            after=[cluster.resource] if cluster.resource else [],
        )
        opts = pulumi.ResourceOptions(providers=[provider], depends_on=namespace)
        made.append(ApiKeySecret(f"{workload.object_name}-api-key", source, opts=opts))
    if workload.identity.granted:
        after = [cluster.resource] if cluster.resource else []
        roles = PodCloudRolesArgs(identity=workload.identity, namespace=workload.namespace, after=after)
        made.append(PodCloudRoles(workload.object_name, roles))
    return made


def _make_dashboard(planned: StackPlan, cluster: GkeCluster) -> None:
    """After the cluster, whose APIs include the dashboard's."""
    if planned.dashboard is not None:
        dashboard = ServingDashboardArgs(definition=planned.dashboard, project=planned.dashboard_project)
        ServingDashboard("dashboard", dashboard, opts=pulumi.ResourceOptions(depends_on=cluster))


def _make_namespace(planned: StackPlan, provider: k8s.Provider) -> list[pulumi.Resource]:
    opts = pulumi.ResourceOptions(provider=provider)
    if not planned.create_namespace:
        # Pulumi lets go of what it reads: a namespace that the stack once made would be deleted with all in it.
        return [k8s.core.v1.Namespace.get("namespace", planned.namespace, opts=opts)]
    labels = {"app.kubernetes.io/managed-by": MANAGED_BY, "pod-security.kubernetes.io/enforce": planned.pod_security}
    metadata = k8s.meta.v1.ObjectMetaArgs(name=planned.namespace, labels=labels)
    return [k8s.core.v1.Namespace("namespace", metadata=metadata, opts=opts)]


def _export(planned: StackPlan, cluster: GkeCluster, gateway: ServingGateway | None) -> None:
    pulumi.export("clusterName", cluster.cluster_name)
    pulumi.export("kubeconfig", cluster.kubeconfig)
    if planned.gateway is not None and planned.gateway.reserve_address and gateway is not None:
        pulumi.export("gatewayAddress", gateway.address)
    # The next update reads it: what goes still holds its GPUs while what is new starts.
    pulumi.export(PODS_OUTPUT, pods_json(planned))
    pulumi.export(
        "workloads",
        {
            w.name: {
                "host": w.service.host,
                "port": w.service.port,
                "model": w.model.id,
                "url": w.service.url,
                "portForward": w.service.port_forward,
                **({"exposed": w.route.url} if w.route else {}),
            }
            for w in planned.workloads
        },
    )
