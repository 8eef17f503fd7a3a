"""Autoscaling of a workload by a metric of its engine, and what of a stack is monitored."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from l4serve.config.keys.alerts import Alerts
from l4serve.config.keys.base import ConfigModel, PositiveInt, no_boolean

ScalingRole = Literal["queue", "running", "cache"]


class Autoscaling(ConfigModel):
    """Pods between two bounds, so many that an engine metric averages to a target."""

    min_replicas: Annotated[PositiveInt, Field(le=1000)] = 1
    """Fewest pods that run, also while nobody asks anything; it cannot be 0."""
    max_replicas: Annotated[PositiveInt, Field(le=1000)]
    """Most pods; the node pools must hold them all."""
    metric: ScalingRole = "queue"
    """What is watched: requests that wait, requests that run, or the part of the KV cache in use."""
    target: Annotated[float, BeforeValidator(no_boolean), Field(ge=0.001, le=1_000_000)] | None = None
    """Average per pod that the autoscaler keeps to; unset is 5 for queue and 0.8 for cache, required for running."""
    metrics_from: Literal["adapter", "gke"] = "adapter"
    """Who hands the metric on: an adapter that is installed once per cluster, or GKE itself (from 1.35.1)."""
    scale_down_stabilization_seconds: Annotated[int, BeforeValidator(no_boolean), Field(ge=0, le=3600)] | None = None
    """How long fewer pods must be enough before some go; unset is the predicted start of a pod, at least 300."""

    @model_validator(mode="after")
    def _minimum_below_maximum(self) -> Self:
        if self.min_replicas > self.max_replicas:
            bounds = f"minReplicas {self.min_replicas} is above maxReplicas {self.max_replicas}"
            raise ValueError(f"{bounds}; set maxReplicas: {self.min_replicas}, or minReplicas: {self.max_replicas}")
        return self


class StackMonitoring(ConfigModel):
    """How the engines' metrics reach Cloud Monitoring."""

    pod_monitoring: bool | None = None
    """PodMonitoring objects, by which Managed Service for Prometheus scrapes the engines; unset is on for workloads
    with autoscaling and with a dashboard. False leaves the scraping to others."""
    dashboard: bool = False
    """Makes a dashboard of all workloads in Cloud Monitoring."""
    alerts: Alerts | None = None
    """Alerts on what is promised, and on the usual causes; `alerts: {}` takes every default."""
