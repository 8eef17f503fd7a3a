"""The InferencePool of one planned workload, and the endpoint picker that chooses among its pods."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.namespaced import NamespacedComponent
from l4serve.config.frozen import frozen
from l4serve.planning.difference.rows import pods_mark
from l4serve.planning.values.names import LABEL_PREFIX
from l4serve.planning.workload.reach.endpoint_picker import PickerPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan

_POOL_API = "inference.networking.k8s.io/v1"
_CONFIG_FILE = "picker.yaml"


@frozen(kw_only=True)
class EndpointPickerArgs:
    """The workload's plan, and its picker."""

    plan: WorkloadPlan
    picker: PickerPlan


class EndpointPicker(NamespacedComponent):
    """Makes pool and picker. The caller has the workload's pods come before it, and the route after."""

    def __init__(self, name: str, args: EndpointPickerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:EndpointPicker", name, args.plan.namespace, opts)
        self._plan, self._picker = args.plan, args.picker
        account = self._make_account()
        rights = self._make_rights(account)
        config = self._make_config()
        service = self._make_service()
        self._make_deployment(account, config, rights)
        self._make_pool(service)
        self.register_outputs({})

    def _metadata(self, name: str | None = None) -> k8s.meta.v1.ObjectMetaArgs:
        labels = dict(self._plan.metadata.labels)
        return k8s.meta.v1.ObjectMetaArgs(name=name or self._picker.name, namespace=self._plan.namespace, labels=labels)

    def _child(self, after: list[pulumi.Resource] | None = None) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=after or [])

    def _make_account(self) -> k8s.core.v1.ServiceAccount:
        return k8s.core.v1.ServiceAccount(
            f"{self._name}-account",
            metadata=self._metadata(),
            automount_service_account_token=False,
            opts=self._child(),
        )

    def _make_rights(self, account: k8s.core.v1.ServiceAccount) -> k8s.rbac.v1.RoleBinding:
        """It looks at pods and pools of its namespace, and changes nothing."""
        reading = ["get", "watch", "list"]
        groups = {
            "": ["pods"],
            "inference.networking.k8s.io": ["inferencepools"],
            "inference.networking.x-k8s.io": ["inferenceobjectives", "inferencemodelrewrites"],
        }
        role = k8s.rbac.v1.Role(
            f"{self._name}-role",
            metadata=self._metadata(),
            rules=[
                k8s.rbac.v1.PolicyRuleArgs(api_groups=[group], resources=kinds, verbs=reading)
                for group, kinds in groups.items()
            ],
            opts=self._child(),
        )
        return k8s.rbac.v1.RoleBinding(
            f"{self._name}-binding",
            metadata=self._metadata(),
            role_ref=k8s.rbac.v1.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="Role", name=role.metadata.name
            ),
            subjects=[
                k8s.rbac.v1.SubjectArgs(
                    kind="ServiceAccount", name=account.metadata.name, namespace=self._plan.namespace
                )
            ],
            opts=self._child(),
        )

    def _make_config(self) -> k8s.core.v1.ConfigMap:
        return k8s.core.v1.ConfigMap(
            f"{self._name}-config",
            metadata=self._metadata(),
            data={_CONFIG_FILE: self._picker.config},
            opts=self._child(),
        )

    def _make_service(self) -> k8s.core.v1.Service:
        picker = self._picker
        port = picker.ports["choices"]
        return k8s.core.v1.Service(
            f"{self._name}-service",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=self._picker.name,
                namespace=self._plan.namespace,
                labels=dict(self._plan.metadata.labels),
                annotations={"pulumi.com/skipAwait": "true"},
            ),
            spec=k8s.core.v1.ServiceSpecArgs(
                selector=dict(picker.labels),
                ports=[
                    k8s.core.v1.ServicePortArgs(
                        name="choices",
                        port=port,
                        target_port=port,
                        protocol="TCP",
                        # gRPC, as the extension's own chart names it.
                        app_protocol="http2",
                    )
                ],
            ),
            opts=self._child(),
        )

    def _make_deployment(
        self, account: k8s.core.v1.ServiceAccount, config: k8s.core.v1.ConfigMap, rights: pulumi.Resource
    ) -> None:
        picker = self._picker
        k8s.apps.v1.Deployment(
            f"{self._name}-deployment",
            metadata=self._metadata(),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=1,
                # It remembers which pod has which prefix: two at a time would each know half.
                strategy=k8s.apps.v1.DeploymentStrategyArgs(type="Recreate"),
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(picker.labels)),
                template=k8s.core.v1.PodTemplateSpecArgs(
                    metadata=k8s.meta.v1.ObjectMetaArgs(
                        labels=dict(picker.labels),
                        # It starts anew after the pods, and forgets what the old ones had in their caches.
                        annotations={f"{LABEL_PREFIX}/pods": pods_mark(self._plan)},
                    ),
                    spec=k8s.core.v1.PodSpecArgs(
                        service_account_name=account.metadata.name,
                        # The one pod that asks the API server: it watches pods and pools.
                        automount_service_account_token=True,
                        enable_service_links=False,
                        termination_grace_period_seconds=picker.grace_seconds,
                        security_context=k8s.core.v1.PodSecurityContextArgs(
                            run_as_non_root=True,
                            run_as_user=picker.user,
                            run_as_group=picker.user,
                            seccomp_profile=k8s.core.v1.SeccompProfileArgs(type="RuntimeDefault"),
                        ),
                        containers=[self._container()],
                        volumes=[
                            k8s.core.v1.VolumeArgs(
                                name="config",
                                config_map=k8s.core.v1.ConfigMapVolumeSourceArgs(name=config.metadata.name),
                            )
                        ],
                    ),
                ),
            ),
            opts=self._child([rights]),
        )

    def _container(self) -> k8s.core.v1.ContainerArgs:
        picker, plan = self._picker, self._plan
        health = k8s.core.v1.GRPCActionArgs(port=picker.ports["health"], service="inference-extension")
        arguments = {
            "pool-name": plan.object_name,
            "pool-namespace": plan.namespace,
            "pool-group": "inference.networking.k8s.io",
            "config-file": f"/config/{_CONFIG_FILE}",
            "zap-encoder": "json",
            "tracing": "false",
            "metrics-endpoint-auth": "false",
        }
        return k8s.core.v1.ContainerArgs(
            name="picker",
            image=picker.image,
            args=[f"--{name}={value}" for name, value in arguments.items()],
            ports=[
                k8s.core.v1.ContainerPortArgs(name=name, container_port=port) for name, port in picker.ports.items()
            ],
            resources=k8s.core.v1.ResourceRequirementsArgs(
                requests=dict(picker.resources["requests"]), limits=dict(picker.resources["limits"])
            ),
            security_context=k8s.core.v1.SecurityContextArgs(
                allow_privilege_escalation=False,
                read_only_root_filesystem=True,
                capabilities=k8s.core.v1.CapabilitiesArgs(drop=["ALL"]),
            ),
            readiness_probe=k8s.core.v1.ProbeArgs(grpc=health, period_seconds=2),
            liveness_probe=k8s.core.v1.ProbeArgs(grpc=health, initial_delay_seconds=5, period_seconds=10),
            volume_mounts=[k8s.core.v1.VolumeMountArgs(name="config", mount_path="/config", read_only=True)],
        )

    def _make_pool(self, service: k8s.core.v1.Service) -> None:
        plan = self._plan
        spec: dict[str, Any] = {
            "selector": {"matchLabels": dict(plan.metadata.serving)},
            "targetPorts": [{"number": plan.service.port}],
            "endpointPickerRef": {
                "name": self._picker.name,
                "port": {"number": self._picker.ports["choices"]},
                # Requests go anywhere while the picker starts, in place of nowhere.
                "failureMode": "FailOpen",
            },
        }
        k8s.apiextensions.CustomResource(
            f"{self._name}-pool",
            api_version=_POOL_API,
            kind="InferencePool",
            metadata=self._metadata(plan.object_name),
            spec=spec,
            opts=self._child([service]),
        )
