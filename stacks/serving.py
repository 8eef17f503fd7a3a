"""The wiring: plan, components, outputs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import Stack
from pulumi.runtime.sync_await import _sync_await

from components.gke_cluster import GkeCluster, GkeClusterArgs
from components.gke_network import GkeNetwork, GkeNetworkArgs
from components.gpu_compute_class import GpuComputeClass, GpuComputeClassArgs
from components.gpu_node_pool import GpuNodePool, GpuNodePoolArgs
from components.node_identity import NodeIdentity, NodeIdentityArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.serving_dashboard import ServingDashboard, ServingDashboardArgs
from components.serving_gateway import ServingGateway
from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.config.stack_file import PROJECT, TOKEN_KEY
from l4serve.planning.stack.addons import addon_problems
from l4serve.planning.stack.exchange import (
    exchange_notes,
    exchange_problems,
    held_json,
    most_of,
    pods_json,
    unsettled,
)
from l4serve.planning.stack.pending import cut_off_problem
from l4serve.planning.stack.preview_lines import preview_lines
from l4serve.planning.stack.scattered import larger_first, scatter_problems
from l4serve.planning.stack.stack_plan import TOKEN_WAYS, StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.stack.surges import paced, surge_problems
from l4serve.planning.values.figures import counted
from l4serve.planning.values.note import Note, by_harm
from stacks.deployed import (
    PODS_OUTPUT,
    Resources,
    addons_in_use,
    autoscaled,
    begun,
    deployed_kubeconfig,
    deployed_pods,
    deployed_resources,
    sized,
    those_that_exist,
    untold,
)
from stacks.ownership import Cluster, own_deployments, own_kubernetes_objects
from stacks.settings import load_settings, refusal
from stacks.waiting import refuse_waiting
from stacks.workloads import make_workloads

_SENT_S = 0.01


def build() -> None:
    """Builds the stack that Pulumi runs. Raises pulumi.RunError with every reason why its config cannot work."""
    stack = load_settings()
    try:
        planned = plan_stack(stack)
    except ConfigError as error:
        raise refusal(error) from None
    state = deployed_resources()
    _refuse_cut_off(begun(state) - pods_json(planned).keys(), planned, state)
    told = those_that_exist(deployed_pods(state), state)
    found = sized(state, planned)
    deployed = most_of(told, found)
    planned = paced(planned, deployed, unsettled(told, found))
    beside = (deployed, planned, untold(told, state) - found.keys(), autoscaled(state))
    if stuck := (*exchange_problems(*beside), *scatter_problems(deployed, planned)):
        _refuse_cut_off(begun(state), planned, state)  # whose steps would be refused in turn
    if refused := (*stuck, *addon_problems(addons_in_use(state, planned.cluster), planned)):
        raise refusal(ConfigError(refused))
    _require_secrets(planned)
    _show_notes(planned, exchange_notes(deployed, planned))
    cluster, identity = _make_cluster(planned)
    provider = _kubernetes_provider(planned, cluster)
    _begin_registering()
    own_kubernetes_objects(Cluster(stack=stack.name, kubeconfig=cluster.kubeconfig, context=cluster.context), state)
    refuse_waiting(surge_problems(*beside))
    nodes: list[pulumi.Resource] = [*_make_pools(planned, cluster, identity), *_make_classes(planned, provider)]
    gateway, deployments = make_workloads(planned, cluster, provider, nodes, state, larger_first(deployed, planned))
    _make_dashboard(planned, cluster)
    _export(planned, cluster, gateway)
    _export_pods(pods_json(planned), held_json(deployed, planned), deployments)


def _refuse_cut_off(names: frozenset[str], planned: StackPlan, state: Resources) -> None:
    """Raises pulumi.RunError where a killed update made one of these Deployments, by namespace and name.

    Which of those begun a killed update made, and which a failed one did not, the cluster knows. One that is not in the
    config would be left running.
    """
    if names and (
        cut_off := own_deployments((deployed_kubeconfig(state), planned.cluster.context, planned.stack), names)
    ):
        raise refusal(ConfigError([cut_off_problem(cut_off)]))


def _begin_registering() -> None:
    """Sends what is made so far to the engine, which starts the providers while the SDK's kinds load.

    Else nothing is sent before the program has made all: the wait lets the loop run, as Pulumi's own invokes do.
    """
    _sync_await(asyncio.sleep(_SENT_S))


def _show_notes(planned: StackPlan, of_this_update: Iterable[Note]) -> None:
    """A line for each workload, and all notes in one message, in a preview alone: an update shows its preview first."""
    if not pulumi.runtime.is_dry_run():
        return
    for line in preview_lines(planned):
        pulumi.log.info(line)
    shown = [f"  {note.level}: {note.path}: {note.text}" for note in by_harm([*planned.notes, *of_this_update])]
    if shown:
        pulumi.log.warn("\n".join([f"{counted(len(shown), 'note')} on this stack:", *shown]))


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
    # A pool that was to go with a cluster which stays would be in no state.
    goes_with = None if planned.cluster.outlives_a_destroy else cluster.resource
    return [
        GpuNodePool(
            pool.name,
            GpuNodePoolArgs(
                plan=pool,
                cluster_name=cluster.cluster_name,
                location=cluster.location,
                project=planned.cluster.project,
                node_service_account=identity.email if identity else planned.cluster.node_service_account,
                cluster=goes_with,
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


def _make_dashboard(planned: StackPlan, cluster: GkeCluster) -> None:
    """After the cluster, whose APIs include the dashboard's."""
    if planned.dashboard is not None:
        dashboard = ServingDashboardArgs(definition=planned.dashboard, project=planned.dashboard_project)
        ServingDashboard("dashboard", dashboard, opts=pulumi.ResourceOptions(depends_on=cluster))


def _export(planned: StackPlan, cluster: GkeCluster, gateway: ServingGateway | None) -> None:
    pulumi.export("clusterName", cluster.cluster_name)
    pulumi.export("kubeconfig", cluster.kubeconfig)
    if planned.gateway is not None and planned.gateway.reserve_address and gateway is not None:
        pulumi.export("gatewayAddress", gateway.address)
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


def _export_pods(pods: Mapping[str, Any], held: Mapping[str, Any], deployments: list[pulumi.Output[str]]) -> None:
    """The pods that the next update finds: what goes or shrinks holds its GPUs while what is new starts.

    What is `held` may be there still, or already, if this update fails. The engine keeps the outputs that it was told
    last, so those are told at once, and the pods alone once all `deployments` serve.
    """
    root = get_root_resource()
    if held == pods or not isinstance(root, Stack):
        pulumi.export(PODS_OUTPUT, pods)
        return
    root.register_outputs({**root.outputs, PODS_OUTPUT: held})
    pulumi.export(PODS_OUTPUT, pulumi.Output.all(*deployments).apply(lambda _: pods))
