"""An inference service: the Deployment, Service, ServiceAccount and disruption budget of one planned workload."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from components.container_env import sourced
from components.hub_token import HubToken
from components.kept_pods import kept_priority, priority_name
from components.namespaced import NamespacedComponent, aliases
from components.node_affinity import chosen_nodes, lasting_nodes
from components.pod_probes import pod_probes
from components.pod_volumes import planned_mounts, planned_volumes
from l4serve.config.frozen import frozen
from l4serve.planning.values.container_text import literal
from l4serve.planning.values.names import SCALED_LABEL, on_demand_name
from l4serve.planning.workload.pods.lifecycle import Lifecycle
from l4serve.planning.workload.pods.pod_guard import SHARED_MEMORY
from l4serve.planning.workload.workload_plan import WorkloadPlan

_CONTAINER = "inference-server"
_WRITABLE = "writable"
_FIRST_FREE_PORT = "net.ipv4.ip_unprivileged_port_start"
"""A sysctl that Kubernetes and Pod Security "restricted" call safe; containerd sets it by itself from 2.0 on."""


@frozen(kw_only=True)
class InferenceServiceArgs:
    """A workload's whole plan, and where its pods read the Hugging Face token: a Secret, or a SecretProviderClass."""

    plan: WorkloadPlan
    secret_name: pulumi.Input[str | None] = None
    provider_class: pulumi.Input[str | None] = None


class InferenceService(NamespacedComponent):
    """Serves one model. Manages no node, namespace or token: it is given those."""

    service_name: pulumi.Output[str]
    """Name of the Kubernetes Service, known once it exists."""
    deployment_name: pulumi.Output[str]
    """Name of the Deployment, known once its pods serve."""

    def __init__(self, name: str, args: InferenceServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:InferenceService", name, args.plan.namespace, opts)
        self._plan = args.plan
        self._token = HubToken(plan=args.plan.secret, secret_name=args.secret_name, provider_class=args.provider_class)
        account = self._make_account().metadata.name if args.plan.identity.create else args.plan.identity.account
        kept = [self._make_on_demand(account)] if args.plan.scale.on_demand else []
        service = self._make_service(kept)
        deployment = self._make_deployment(account, kept)
        if args.plan.scale.rollout.pods_disruptable is not None:
            self._make_disruption_budget(args.plan.scale.rollout.pods_disruptable)
        self.service_name = service.metadata.name
        self.deployment_name = deployment.metadata.name
        self.register_outputs({"serviceName": self.service_name, "deploymentName": self.deployment_name})

    def _metadata(self, name: str, annotations: dict[str, str] | None = None) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=name, namespace=self._plan.namespace, labels=dict(self._plan.metadata.labels), annotations=annotations
        )

    def _child(self, **extra: object) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, **extra)  # type: ignore[arg-type]

    def _make_account(self) -> k8s.core.v1.ServiceAccount:
        return k8s.core.v1.ServiceAccount(
            f"{self._name}-account",
            metadata=self._metadata(self._plan.object_name, dict(self._plan.identity.annotations) or None),
            automount_service_account_token=False,
            opts=self._child(),
        )

    def _make_service(self, kept: list[k8s.apps.v1.Deployment]) -> k8s.core.v1.Service:
        """After the kept pods: a workload that gets its first of them is served by those when the selector changes."""
        plan, port = self._plan, self._plan.service.port
        internal = {"networking.gke.io/load-balancer-type": "Internal"} if plan.service.type == "LoadBalancer" else None
        return k8s.core.v1.Service(
            self._named(f"{plan.service.name}-service"),
            metadata=self._metadata(
                plan.service.name,
                # A Service of a workload with no pod yet is no failure: the Deployment is what Pulumi waits for.
                {"pulumi.com/skipAwait": "true", **(internal or {})},
            ),
            spec=k8s.core.v1.ServiceSpecArgs(
                type=plan.service.type,
                selector=dict(plan.metadata.serving),
                ports=[
                    k8s.core.v1.ServicePortArgs(
                        name="http",
                        port=port,
                        target_port=port,
                        protocol="TCP",
                        # What a gateway speaks to the pods.
                        app_protocol="HTTPS" if plan.service.tls else None,
                    )
                ],
            ),
            opts=self._child(depends_on=kept, aliases=aliases(f"{self._plain}-service")),
        )

    def _make_disruption_budget(self, pods: int) -> k8s.policy.v1.PodDisruptionBudget:
        return k8s.policy.v1.PodDisruptionBudget(
            f"{self._name}-budget",
            metadata=self._metadata(self._plan.object_name),
            spec=k8s.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=pods,
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(self._plan.metadata.serving)),
            ),
            opts=self._child(),
        )

    def _make_deployment(
        self, account: pulumi.Input[str], kept: list[k8s.apps.v1.Deployment]
    ) -> k8s.apps.v1.Deployment:
        """After the kept pods: two Deployments that change at once would each take a pod away."""
        plan = self._plan
        return k8s.apps.v1.Deployment(
            f"{self._name}-deployment",
            metadata=self._metadata(plan.object_name, dict(plan.metadata.annotations)),
            spec=self._spec(
                plan.scale.replicas - plan.scale.on_demand,
                dict(plan.metadata.selector),
                dict(plan.metadata.pod_labels),
                self._pod(account, plan.lifecycle),
            ),
            opts=self._awaited(ignore_changes=["spec.replicas"] if plan.scale.autoscaling else None, depends_on=kept),
        )

    def _make_on_demand(self, account: pulumi.Input[str]) -> k8s.apps.v1.Deployment:
        """The pods that no spot node may have; Service and disruption budget take both Deployments as one."""
        plan = self._plan
        name = on_demand_name(plan.object_name)
        own = {**plan.metadata.selector, "app.kubernetes.io/instance": name}
        labels = {key: value for key, value in plan.metadata.pod_labels.items() if key != SCALED_LABEL}
        return k8s.apps.v1.Deployment(
            f"{self._name}-on-demand",
            metadata=self._metadata(name, dict(plan.metadata.annotations)),
            spec=self._spec(
                plan.scale.on_demand, own, {**labels, **own}, self._pod(account, plan.lasting, off_spot=True)
            ),
            opts=self._awaited(depends_on=[kept_priority(self._name, plan, self._child())]),
        )

    def _awaited(self, **extra: object) -> pulumi.ResourceOptions:
        deadline = f"{self._plan.scale.rollout.await_seconds}s"
        return self._child(custom_timeouts=pulumi.CustomTimeouts(create=deadline, update=deadline), **extra)

    def _spec(
        self, replicas: int, selector: dict[str, str], labels: dict[str, str], pod: k8s.core.v1.PodSpecArgs
    ) -> k8s.apps.v1.DeploymentSpecArgs:
        rollout = self._plan.scale.rollout
        return k8s.apps.v1.DeploymentSpecArgs(
            replicas=replicas,
            revision_history_limit=3,
            progress_deadline_seconds=rollout.progress_deadline_seconds,
            strategy=k8s.apps.v1.DeploymentStrategyArgs(
                type="RollingUpdate",
                rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(
                    max_surge=rollout.max_surge, max_unavailable=rollout.max_unavailable
                ),
            ),
            selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selector),
            template=k8s.core.v1.PodTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    labels=labels, annotations=dict(self._plan.storage.annotations) or None
                ),
                spec=pod,
            ),
        )

    def _pod(self, account: pulumi.Input[str], life: Lifecycle, *, off_spot: bool = False) -> k8s.core.v1.PodSpecArgs:
        plan = self._plan
        return k8s.core.v1.PodSpecArgs(
            service_account_name=account,
            automount_service_account_token=False,
            # Variables of a Service named vllm-* begin with VLLM_, which vLLM takes for its own settings.
            enable_service_links=False,
            termination_grace_period_seconds=life.grace_seconds,
            node_selector=dict(plan.placing.node_selector),
            affinity=lasting_nodes() if off_spot else chosen_nodes(plan),
            priority_class_name=priority_name(plan) if off_spot else None,
            tolerations=[
                k8s.core.v1.TolerationArgs(key=t.key, operator=t.operator, value=t.value, effect=t.effect)
                for t in plan.placing.tolerations
            ],
            security_context=k8s.core.v1.PodSecurityContextArgs(
                run_as_non_root=True if plan.guard.restricted else None,
                run_as_user=plan.guard.user,
                run_as_group=plan.guard.group,
                **_group_of_files(plan),
                # As another user than root, and without capabilities, the engine may listen there all the same.
                sysctls=[k8s.core.v1.SysctlArgs(name=_FIRST_FREE_PORT, value="0")] if plan.low_port else None,
                seccomp_profile=k8s.core.v1.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            containers=[self._container(life.leave_seconds)],
            volumes=self._volumes(),
        )

    def _volumes(self) -> list[k8s.core.v1.VolumeArgs]:
        memory = k8s.core.v1.EmptyDirVolumeSourceArgs(medium="Memory", size_limit=self._plan.resources.shm)
        volumes = [
            k8s.core.v1.VolumeArgs(name="dshm", empty_dir=memory),
            *planned_volumes(self._plan.storage, self._plan.service.tls),
        ]
        if self._plan.guard.writable:
            volumes.append(k8s.core.v1.VolumeArgs(name=_WRITABLE, empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs()))
        volumes += self._token.volumes.values()
        return volumes

    def _container(self, leave_seconds: int) -> k8s.core.v1.ContainerArgs:
        plan = self._plan
        resources = plan.resources.as_kubernetes()
        return k8s.core.v1.ContainerArgs(
            name=_CONTAINER,
            image=plan.engine.image,
            command=list(plan.engine.command) if plan.engine.command else None,
            args=[literal(argument) for argument in plan.engine.argv],
            env=self._environment(),
            ports=[k8s.core.v1.ContainerPortArgs(name="http", container_port=plan.service.port, protocol="TCP")],
            resources=k8s.core.v1.ResourceRequirementsArgs(
                requests=dict(resources["requests"]), limits=dict(resources["limits"])
            ),
            security_context=k8s.core.v1.SecurityContextArgs(
                allow_privilege_escalation=False,
                read_only_root_filesystem=True if plan.guard.restricted else None,
                capabilities=k8s.core.v1.CapabilitiesArgs(drop=["ALL"]),
            ),
            lifecycle=k8s.core.v1.LifecycleArgs(
                # The image needs no shell for it.
                pre_stop=k8s.core.v1.LifecycleHandlerArgs(sleep=k8s.core.v1.SleepActionArgs(seconds=leave_seconds))
            ),
            volume_mounts=self._mounts(),
            **pod_probes(plan),
        )

    def _mounts(self) -> list[k8s.core.v1.VolumeMountArgs]:
        mounts = [k8s.core.v1.VolumeMountArgs(name="dshm", mount_path=SHARED_MEMORY)]
        mounts += [
            k8s.core.v1.VolumeMountArgs(name=_WRITABLE, mount_path=folder, sub_path=folder.strip("/"))
            for folder in self._plan.guard.writable
        ]
        mounts += planned_mounts(self._plan.storage, self._plan.service.tls)
        mounts += [
            k8s.core.v1.VolumeMountArgs(name=volume.name, mount_path=folder, read_only=True)
            for folder, volume in self._token.volumes.items()
        ]
        return mounts

    def _environment(self) -> list[k8s.core.v1.EnvVarArgs]:
        engine = self._plan.engine
        given = {**self._plan.guard.env, **engine.env}
        variables = {name: value for name, value in given.items() if name not in engine.env_sources}
        plain = [k8s.core.v1.EnvVarArgs(name=name, value=literal(value)) for name, value in variables.items()]
        plain += [sourced(name, source) for name, source in engine.env_sources.items()]
        return [*plain, *self._token.variables(*engine.contract.token_envs)]


def _group_of_files(plan: WorkloadPlan) -> dict[str, int | str]:
    """The group that claims are written as by a user other than root, set where the root of one has another."""
    written = any(volume.claim and not volume.read_only for volume in plan.storage.volumes)
    if plan.guard.user is None or not written:
        return {}
    return {"fs_group": plan.guard.user, "fs_group_change_policy": "OnRootMismatch"}
