"""The plan of a stack: frozen values, and nothing that makes them."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Protocol

from l4serve.config.frozen import frozen
from l4serve.config.keys.stack import StackConfig
from l4serve.planning.gke.classes import ComputeClassPlan
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.gateway import GatewayPlan
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.packing.placement import PoolPlacement
from l4serve.planning.stack.awaited_objects import awaited_objects
from l4serve.planning.stack.bucket_grants import ungranted_notes
from l4serve.planning.stack.cost import StackCost
from l4serve.planning.stack.edits import Effect, configured_edits
from l4serve.planning.values.note import Note
from l4serve.planning.workload.alerting import unheard_note
from l4serve.planning.workload.pods.pod_guard import Level
from l4serve.planning.workload.scaling import channel_note
from l4serve.planning.workload.scraping import SCRAPE_NOTE
from l4serve.planning.workload.workload_plan import WorkloadPlan

TOKEN_WAYS = "pulumi config set --secret hfToken, or huggingFace: {existingSecret: NAME}"


class _Noted(Protocol):
    @property
    def notes(self) -> tuple[Note, ...]: ...


@frozen(kw_only=True)
class StackPlan:
    """A stack, resolved."""

    stack: str
    namespace: str
    create_namespace: bool
    cluster: ClusterPlan
    node_pools: tuple[PoolPlan, ...]
    compute_classes: tuple[ComputeClassPlan, ...]
    gateway: GatewayPlan | None
    """Gateway by which clients outside reach the workloads; None where nothing is exposed."""
    secret: SecretPlan | None
    """Secret with the Hugging Face token; None where no workload and no config asks for one."""
    token_missing: tuple[str, ...]
    """Workloads that read gated repositories, for which the stack has no token."""
    keys_missing: tuple[str, ...]
    """Secrets of the config that workloads take their keys from, and that it lacks."""
    workloads: tuple[WorkloadPlan, ...]
    placement: tuple[PoolPlacement, ...]
    """Where the replicas land on the stack's pools, as many as autoscaling may make of them."""
    dashboard: Mapping[str, Any] | None
    """Dashboard to make, as the Monitoring API takes it."""
    dashboard_project: str | None
    """Project of the dashboard; None is the provider's."""
    cost: StackCost
    """What the stack costs per hour at its smallest and at its largest."""
    config: StackConfig = field(repr=False)
    """What was planned."""

    @cached_property
    def edits(self) -> tuple[tuple[str, Effect], ...]:
        """Every field that the config sets, with what an edit there does; worked out where it is shown."""
        return configured_edits(self.config, existing_cluster=self.cluster.managed is None)

    @property
    def pod_security(self) -> Level:
        """Pod Security level that the namespace enforces: the lowest of its workloads."""
        return "restricted" if all(workload.guard.restricted for workload in self.workloads) else "baseline"

    @property
    def notes(self) -> tuple[Note, ...]:
        """What an operator should know before the stack runs: the notes of every part of it, and of the whole."""
        parts: list[_Noted] = [self.cluster, *self.node_pools, *self.placement, *self.workloads]
        if self.gateway is not None:
            parts.append(self.gateway)
        return (*self._own_notes(), *(note for part in parts for note in part.notes))

    def _own_notes(self) -> Iterator[Note]:
        if self.cluster.managed is not None and self.cluster.project is None:
            yield Note("gcp:project", "no project is set, and pulumi up stops: pulumi config set gcp:project PROJECT")
        if self.token_missing:
            gated = f"{', '.join(self.token_missing)}: what it reads is gated, and no token is set"
            yield Note("huggingFace", f"{gated}: a placeholder stands in for it; before pulumi up: {TOKEN_WAYS}")
        for name in self.keys_missing:
            told = f"the stack's config has no secret {name}: a placeholder stands in for the key"
            yield Note("workloads", f"{told}; before pulumi up: pulumi config set --secret {name}")
        if self.cluster.managed is None and any(workload.service.pod_monitoring for workload in self.workloads):
            yield Note("monitoring.podMonitoring", SCRAPE_NOTE)
        if any(w.alerts for w in self.workloads) and (unheard := unheard_note(self.config.monitoring.alerts)):
            yield Note("monitoring.alerts", unheard)
        if self.cluster.name is None and any(w.alerts for w in self.workloads):
            told = "alerts count the pods of every cluster of the project that has such a namespace and workload"
            yield Note("monitoring.alerts", f"{told}: the stack does not know the name of its cluster")
        if self.gateway is not None and not any(workload.route for workload in self.workloads):
            yield Note("expose", "the gateway serves nothing: every workload is kept off it")
        if self.cluster.managed is None and (managed := [*self._from_secret_manager()]):
            told = f"an add-on of Secret Manager and its kinds deliver {' and '.join(managed)}"
            yield Note("cluster", f"{told}, which the stack does not turn on in a cluster that it did not make")
        yield from ungranted_notes(self.workloads)
        native = [w.name for w in self.workloads if w.scale.autoscaling and w.scale.autoscaling.native]
        if elsewhere := channel_note(self.cluster, native):
            yield Note("cluster.releaseChannel", elsewhere)
        if self.cluster.managed is None and any(workload.network is not None for workload in self.workloads):
            told = "a cluster that the stack did not make may enforce no NetworkPolicy, and then every pod is open"
            yield Note("networkPolicy", told)
        if self.create_namespace:
            made = self.cluster.managed is not None
            yield from awaited_objects(self.namespace, self.workloads, self.gateway, new_cluster=made)
        else:
            label = f"pod-security.kubernetes.io/enforce={self.pod_security}"
            yield Note("createNamespace", f"the stack has namespace {self.namespace} enforce no Pod Security: {label}")
        gaps = [w for w in self.workloads if 0 < w.scale.replicas <= w.scale.rollout.max_unavailable]
        if without_room := [w.name for w in gaps if not w.storage.on_one_node]:
            text = f"an update takes {', '.join(without_room)} away while the new pod loads: no GPU is free beside it"
            yield Note("workloads", text)
        if held := [w.name for w in gaps if w.storage.on_one_node]:
            told = f"an update ends the pod of {', '.join(held)} before the new one starts"
            yield Note("workloads", f"{told}: a ReadWriteOnce claim reaches only one node")

    def _from_secret_manager(self) -> Iterator[str]:
        """What pods have from Secret Manager, in words."""
        if self.secret is not None and self.secret.source == "secret-manager":
            yield "the Hugging Face token"
        keyed = [w.name for w in self.workloads if (key := w.engine.key_source) and key.source == "secret-manager"]
        if keyed:
            yield f"the API keys of {', '.join(keyed)}"
