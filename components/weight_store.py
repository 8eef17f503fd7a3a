"""What a workload's weights need before its pods: disks that are filled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.container_env import sourced
from components.google import gcp
from components.hub_token import HubToken
from components.namespaced import NamespacedComponent, aliases
from components.weight_download import DOWNLOAD, download_variables
from l4serve.config.frozen import frozen
from l4serve.planning.workload.pods.weight_disk import WeightStore as StorePlan
from l4serve.planning.workload.pods.weight_disk import fill_disk, fill_limits, fill_requests
from l4serve.planning.workload.reach.closed_ways import ways_out
from l4serve.planning.workload.workload_plan import WorkloadPlan

_SETTLE_SECONDS = 120
"""Longer than a kubelet and the driver take to unmount and detach the disk of a pod that has ended.

Compute Engine makes an image of an attached disk only when forced, and such an image may be broken:
https://cloud.google.com/compute/docs/samples/compute-images-create
"""
_FILL_USER = 65532
"""Of no image: nobody by number."""
_ZONE = "topology.kubernetes.io/zone"
_PD_DRIVER = "pd.csi.storage.gke.io"


@frozen(kw_only=True)
class WeightStoreArgs:
    """A workload's plan, its project, where the Job reads the Hugging Face token, and what must exist before it."""

    plan: WorkloadPlan
    store: StorePlan
    project: str | None
    secret_name: pulumi.Input[str | None] = None
    provider_class: pulumi.Input[str | None] = None
    after: Sequence[pulumi.Resource] = ()


class WeightStore(NamespacedComponent):
    """A boot disk's volume, or a Hyperdisk that a Job has filled. Manages no pod that serves."""

    ready: list[pulumi.Resource]
    """What must exist before the pods that mount the weights."""

    def __init__(self, name: str, args: WeightStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:WeightStore", name, args.plan.namespace, opts)
        self._args, self._plan = args, args.plan
        make = self._make_boot_disk if args.store.kind == "bootDisk" else self._make_hyperdisk
        self.ready = make(args.store)
        self.register_outputs({})

    def _child(self, **extra: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, **extra)

    def _make_boot_disk(self, store: StorePlan) -> list[pulumi.Resource]:
        labels = [{"key": key, "operator": "In", "values": [value]} for key, value in (store.node_labels or {}).items()]
        source = {
            "local": {"path": store.node_path},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": labels}]}},
        }
        return [self._make_volume("weights", store.claim, f"{store.size_gb}Gi", "ReadOnlyMany", source)]

    def _make_hyperdisk(self, store: StorePlan) -> list[pulumi.Resource]:
        """A disk that a Job fills on an ordinary node, its image, and from that the disk that all pods read."""
        project, size = self._args.project, f"{store.size_gb}G"
        filled = gcp.compute.Disk(
            f"{self._plain}-fill", zone=store.zone, project=project, type=store.fill_type, size=store.size_gb,
            description=store.claim,
            opts=self._child(depends_on=list(self._args.after), replace_on_changes=["description"]),
        )  # fmt: skip
        near = _disk_source(filled.id, store.zone, read_only=False)
        volume = self._make_volume("fill", store.fill_name, size, "ReadWriteOnce", near)
        job = self._make_settling(store, self._make_job(store, volume))
        image = gcp.compute.Image(
            f"{self._plain}-image",
            source_disk=filled.self_link,
            project=project,
            description=store.claim,
            opts=self._child(depends_on=[job], replace_on_changes=["description"]),
        )
        disk = gcp.compute.Disk(
            f"{self._plain}-disk",
            zone=store.zone,
            project=project,
            type="hyperdisk-ml",
            size=store.size_gb,
            image=image.self_link,
            access_mode="READ_ONLY_MANY",
            provisioned_throughput=store.throughput_mibps,
            opts=self._child(),
        )
        read = _disk_source(disk.id, store.zone, read_only=True)
        return [self._make_volume("weights", store.claim, size, "ReadOnlyMany", read)]

    def _make_volume(
        self, suffix: str, claim: str, size: str, mode: str, source: Mapping[str, Any]
    ) -> k8s.core.v1.PersistentVolumeClaim:
        """A PersistentVolume and the claim that it alone is bound to."""
        namespace = self._plan.namespace
        labels = dict(self._plan.metadata.labels)
        spec = {
            "accessModes": [mode],
            "capacity": {"storage": size},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "claimRef": {"namespace": namespace, "name": claim},
            "volumeMode": "Filesystem",
            **source,
        }
        volume = k8s.core.v1.PersistentVolume(
            self._named(f"{claim}-volume"),
            metadata=k8s.meta.v1.ObjectMetaArgs(name=f"{namespace}-{claim}", labels=labels),
            spec=spec,
            opts=self._child(aliases=aliases(f"{self._plain}-{suffix}-volume")),
        )
        return k8s.core.v1.PersistentVolumeClaim(
            self._named(f"{claim}-claim"),
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=claim, namespace=namespace, labels=labels, annotations={"pulumi.com/skipAwait": "true"}
            ),
            spec=k8s.core.v1.PersistentVolumeClaimSpecArgs(
                access_modes=[mode],
                storage_class_name="",
                volume_name=volume.metadata.name,
                resources=k8s.core.v1.VolumeResourceRequirementsArgs(requests={"storage": size}),
            ),
            opts=self._child(aliases=aliases(f"{self._plain}-{suffix}-claim")),
        )

    def _make_job(self, store: StorePlan, claim: k8s.core.v1.PersistentVolumeClaim) -> k8s.batch.v1.Job:
        """Downloads the model to the disk with the engine's own image; Pulumi waits until it is done."""
        plan = self._plan
        env = [k8s.core.v1.EnvVarArgs(name=name, value=value) for name, value in download_variables(plan).items()]
        env += [sourced(name, source) for name, source in plan.engine.env_sources.items() if name in ways_out()]
        token = HubToken(plan=plan.secret, secret_name=self._args.secret_name, provider_class=self._args.provider_class)
        env += token.variables("HF_TOKEN")
        source = k8s.core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=claim.metadata.name)
        volumes = {
            "/fill": k8s.core.v1.VolumeArgs(name="disk", persistent_volume_claim=source),
            "/tmp": k8s.core.v1.VolumeArgs(name="writable", empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs()),
            **token.volumes,
        }
        node = {_ZONE: store.zone or ""}
        pod = self._pod("fill", DOWNLOAD, dict(fill_requests()), dict(fill_limits()), env, volumes, node)
        return self._job("fill-job", store.fill_name, store, pod)

    def _make_settling(self, store: StorePlan, filled: k8s.batch.v1.Job) -> k8s.batch.v1.Job:
        """Waits until the disk has left its node: no image is made of one that is attached, or not unmounted."""
        amounts = {"cpu": "100m", "memory": "128Mi"}
        pod = self._pod("settle", f"import time; time.sleep({_SETTLE_SECONDS})", amounts, amounts, [], {})
        return self._job("settle-job", store.settle_name, store, pod, filled)

    def _pod(
        self,
        name: str,
        program: str,
        requests: dict[str, str],
        limits: dict[str, str],
        env: list[k8s.core.v1.EnvVarArgs],
        volumes: Mapping[str, k8s.core.v1.VolumeArgs],
        node: Mapping[str, str] | None = None,
    ) -> k8s.core.v1.PodSpecArgs:
        """A pod of one container with the volumes at these paths."""
        disk = {"ephemeral-storage": fill_disk()}
        # The interpreter of an image that runs as root alone may be one that only root can enter.
        confined = self._plan.guard.restricted
        container = k8s.core.v1.ContainerArgs(
            name=name,
            image=self._plan.engine.image,
            command=["python3", "-c", program],
            env=env,
            volume_mounts=[
                k8s.core.v1.VolumeMountArgs(name=volume.name, mount_path=path) for path, volume in volumes.items()
            ]
            or None,
            resources=k8s.core.v1.ResourceRequirementsArgs(requests=requests | disk, limits=limits | disk),
            security_context=k8s.core.v1.SecurityContextArgs(
                allow_privilege_escalation=False,
                run_as_non_root=True if confined else None,
                run_as_user=_FILL_USER if confined else None,
                run_as_group=_FILL_USER if confined else None,
                read_only_root_filesystem=True,
                capabilities=k8s.core.v1.CapabilitiesArgs(drop=["ALL"]),
            ),
        )
        return k8s.core.v1.PodSpecArgs(
            restart_policy="OnFailure",
            node_selector=node,
            automount_service_account_token=False,
            security_context=k8s.core.v1.PodSecurityContextArgs(
                fs_group=_FILL_USER, seccomp_profile=k8s.core.v1.SeccompProfileArgs(type="RuntimeDefault")
            ),
            containers=[container],
            volumes=list(volumes.values()) or None,
        )

    def _job(
        self,
        suffix: str,
        name: str,
        store: StorePlan,
        pod: k8s.core.v1.PodSpecArgs,
        after: pulumi.Resource | None = None,
    ) -> k8s.batch.v1.Job:
        return k8s.batch.v1.Job(
            self._named(f"{name}-job"),
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=name, namespace=self._plan.namespace, labels=dict(self._plan.metadata.labels)
            ),
            spec=k8s.batch.v1.JobSpecArgs(
                backoff_limit=6,
                template=k8s.core.v1.PodTemplateSpecArgs(
                    metadata=k8s.meta.v1.ObjectMetaArgs(labels=dict(store.fill_labels)), spec=pod
                ),
            ),
            opts=self._child(
                custom_timeouts=pulumi.CustomTimeouts(create="2h", update="2h"),
                replace_on_changes=["spec"],
                depends_on=[after] if after else [],
                aliases=aliases(f"{self._plain}-{suffix}"),
            ),
        )


def _disk_source(handle: pulumi.Input[str], zone: str | None, *, read_only: bool) -> dict[str, Any]:
    """A Compute Engine disk as the CSI driver of GKE mounts it, on nodes of its zone alone."""
    place = {"key": _ZONE, "operator": "In", "values": [zone]}
    return {
        "csi": {"driver": _PD_DRIVER, "volumeHandle": handle, "fsType": "ext4", "readOnly": read_only},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [place]}]}},
    }
