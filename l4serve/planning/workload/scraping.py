"""Which workloads are scraped, and what the cluster and the project must have for it."""

from collections.abc import Iterator

from l4serve.config.gathering import refuse_all
from l4serve.config.keys.autoscaling import StackMonitoring
from l4serve.config.keys.stack import StackConfig
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem, refuse
from l4serve.planning.gke.cluster_plan import ClusterPlan

SCRAPE_NOTE = (
    "PodMonitoring objects work where the cluster runs Managed Service for Prometheus, which the stack does not turn "
    "on in a cluster that it did not make; podMonitoring: false leaves them out"
)


def scraped(monitoring: StackMonitoring, workload: Workload) -> bool:
    """Whether the workload gets a PodMonitoring object."""
    if monitoring.pod_monitoring is not None:
        return monitoring.pod_monitoring
    return monitoring.dashboard or monitoring.alerts is not None or workload.autoscaling is not None


def refuse_monitoring(config: StackConfig, cluster: ClusterPlan, project: str | None) -> None:
    """Raises ConfigError where the metrics that the config wants could reach nobody. `project` is gcp:project."""
    wanted = [name for name, workload in config.workloads.items() if scraped(config.monitoring, workload)]
    if wanted and cluster.managed is not None and not cluster.managed.monitoring.managed_prometheus:
        message = f"the metrics of {', '.join(wanted)} are collected by Managed Service for Prometheus, which is off"
        refuse("cluster.monitoring.managedPrometheus", message, "set it to true, or monitoring.podMonitoring: false")
    if config.monitoring.dashboard and cluster.managed is None and (cluster.project or project) is None:
        message = "a dashboard lives in a Google Cloud project, and the stack names none"
        refuse("monitoring.dashboard", message, "set gcp:project")
    if config.monitoring.alerts is None:
        refuse_all(_unwatched(config))
    else:
        _refuse_alerts(config, cluster, project)


def _unwatched(config: StackConfig) -> Iterator[Problem]:
    """Promises that nobody looks after."""
    for name, workload in config.workloads.items():
        if workload.objectives is not None:
            what = "the stack raises no alerts, and only alerts look at what is promised"
            yield Problem(f"workloads.{name}.objectives", what, "set monitoring.alerts: {}, or remove it")


def _refuse_alerts(config: StackConfig, cluster: ClusterPlan, project: str | None) -> None:
    alerts = config.monitoring.alerts
    if config.monitoring.pod_monitoring is False:
        refuse("monitoring.alerts", "alerts read what nobody scrapes", "remove monitoring.podMonitoring: false")
    if alerts is not None and alerts.via == "policies" and cluster.managed is None and not (cluster.project or project):
        message = "a policy lives in a Google Cloud project, and the stack names none"
        refuse("monitoring.alerts.via", message, "set gcp:project, or via: rules")
    if alerts is not None and alerts.notification_channels and alerts.via == "rules":
        message = "rules send their alerts to the cluster's alertmanager, and to no channel"
        refuse("monitoring.alerts.notificationChannels", message, "set via: policies, or remove the channels")
