"""Autoscaling of one workload: the metric from the engine's contract, under the name that the autoscaler reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.autoscaling import Autoscaling, ScalingRole
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import refuse
from l4serve.engines.releases.contract import Contract
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.versions import version_of
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.workload.pods.start import StartPlan


@frozen(kw_only=True)
class AutoscalingPlan:
    """A HorizontalPodAutoscaler over one metric of the pods."""

    min_replicas: int
    max_replicas: int
    role: ScalingRole
    engine_metric: str
    """Prometheus name that the engine exposes."""
    metric: str
    """Name of the same metric in the custom metrics API."""
    target: str
    """Average per pod, a Kubernetes quantity such as 5 or 800m."""
    scale_down_stabilization_seconds: int | None
    """None is Kubernetes' default of 300."""
    native: bool = False
    """Whether GKE itself hands the metric on, by an AutoscalingMetric object."""

    @property
    def note(self) -> str:
        """What the cluster needs beside this stack."""
        table = load_data(__file__, "autoscaling.yaml")
        if self.native:
            native = table["native"]
            since = f"GKE hands {self.engine_metric} to the autoscaler from {native['since']} on"
            return f"{since}, in clusters of the {native['channel']} channel with the {native['profile']} HPA profile"
        adapter = table["adapter"]
        account = f"{adapter['namespace']}/sa/{adapter['serviceAccount']}"
        return (
            f"the autoscaler reads {self.metric} through the Custom Metrics Stackdriver Adapter, which this stack "
            f"does not install; once per cluster: kubectl apply -f {adapter['manifest']}, and {adapter['role']} for "
            f"its identity, ns/{account} of the project's workload identity pool: without the role it reads nothing"
        )


def plan_autoscaling(
    path: str,
    config: Autoscaling | None,
    contract: Contract,
    shape: ModelShape | None = None,
    cluster: ClusterPlan | None = None,
    *,
    name: str = "",
    encrypted: bool = False,
) -> AutoscalingPlan | None:
    """The plan of a workload's autoscaling at a YAML path; None where it asks for none.

    `name` is that of its Kubernetes objects, `encrypted` whether its pods speak TLS. Raises ConfigError for a role that
    the contract names no metric for, or that the model (None: not known) never moves, for a target that cannot be
    reached, and for what GKE does not hand on by itself.
    """
    if config is None:
        return None
    engine_metric = contract.autoscaling_metrics.get(config.metric)
    if engine_metric is None:
        known = ", ".join(contract.autoscaling_metrics)
        refuse(f"{path}.metric", f"{contract.name} shows no metric for {config.metric}", f"use one of: {known}")
    if config.metric == "cache" and shape is not None and shape.is_encoder:
        refuse(f"{path}.metric", f"{shape.id} keeps no KV cache, so {engine_metric} stays 0", "set metric: queue")
    table = load_data(__file__, "autoscaling.yaml")
    native = config.metrics_from == "gke"
    if native and encrypted:
        what = "GKE reads metrics only over plain HTTP, and the pods speak TLS"
        refuse(f"{path}.metricsFrom", what, "set it to adapter, or remove service.tls")
    if native:
        _require_native(path, contract.metrics[engine_metric], engine_metric, cluster)
    form = table["native"]["metricName"] if native else table["metricName"]
    shown = form.format(metric=engine_metric, type=contract.metrics[engine_metric], object=name, role=config.metric)
    return AutoscalingPlan(
        min_replicas=config.min_replicas,
        max_replicas=config.max_replicas,
        role=config.metric,
        engine_metric=engine_metric,
        metric=shown,
        target=_quantity(_target(path, config)),
        scale_down_stabilization_seconds=config.scale_down_stabilization_seconds,
        native=native,
    )


def channel_note(cluster: ClusterPlan, native: Sequence[str]) -> str | None:
    """What to say where GKE may hand nothing on to the workloads of these names, for the cluster's release channel."""
    said = load_data(__file__, "autoscaling.yaml")["native"]["channel"]
    channel = cluster.managed.release_channel if cluster.managed else said
    if not native or channel == said:
        return None
    told = f"GKE is said to hand metrics on in the {said} channel only"
    return f"{told}, and the cluster of {', '.join(native)} follows {channel}"


def following_start(plan: AutoscalingPlan | None, start: StartPlan) -> AutoscalingPlan | None:
    """The autoscaling of pods that start so: it keeps a pod at least as long as a new one takes to serve.

    Else a pause between two bursts ends pods that the second one waits for.
    """
    if plan is None or start.total is None:
        return plan
    window = load_data(__file__, "autoscaling.yaml")["scaleDown"]
    if plan.scale_down_stabilization_seconds is not None or start.total <= window["usual"]:
        return plan
    return replace(plan, scale_down_stabilization_seconds=min(60 * ceil(start.total / 60), window["most"]))


def autoscaling_notes(plan: AutoscalingPlan, start: StartPlan) -> Iterator[str]:
    """What the cluster needs, and how late a pod comes, on a new node, that a load asks for."""
    yield plan.note
    if start.total is not None and plan.min_replicas < plan.max_replicas:
        lag = start.total + sum(load_data(__file__, "autoscaling.yaml")["lag"].values())
        told = f"the next pod that the autoscaler asks for serves about {lag} s after requests begin to wait"
        yield f"{told}; until then they wait for the pods that run"


def hpa_profile(workloads: Iterable[Workload]) -> str | None:
    """Profile of horizontal pod autoscaling that a cluster needs for its workloads; None where any does."""
    wanted = any(each.autoscaling is not None and each.autoscaling.metrics_from == "gke" for each in workloads)
    return str(load_data(__file__, "autoscaling.yaml")["native"]["profile"]) if wanted else None


def _require_native(path: str, kind: str, metric: str, cluster: ClusterPlan | None) -> None:
    """Refuses what GKE does not hand on: a metric that is no gauge, and a cluster of an older version."""
    row = load_data(__file__, "autoscaling.yaml")["native"]
    if kind != "gauge":
        refuse(f"{path}.metricsFrom", f"GKE hands on only gauges, and {metric} is a {kind}", "set it to adapter")
    if cluster is None or cluster.managed is None:
        return
    if version_of(cluster.managed.min_version) < version_of(row["since"]):
        message = f"GKE hands metrics on from {row['since']}, and the cluster may be older"
        refuse(f"{path}.metricsFrom", message, f"set cluster.minVersion: {row['since']}, or metricsFrom: adapter")


def _target(path: str, config: Autoscaling) -> float:
    role = load_data(__file__, "autoscaling.yaml")["roles"][config.metric]
    target, most = config.target if config.target is not None else role["target"], role.get("most")
    if target is None:
        message = f"the best number of {role['what']} on a pod depends on the model, so there is no default"
        refuse(f"{path}.target", message, "measure it and set target, or use metric: queue")
    if most is not None and target >= most:
        message = f"{config.metric} is the {role['what']}, at most {most}: a target of {target:g} adds no pod"
        refuse(f"{path}.target", message, f"set target: {role['target']}")
    return float(target)


def _quantity(value: float) -> str:
    millis = round(value * 1000)
    return f"{millis}m" if millis % 1000 else str(millis // 1000)
