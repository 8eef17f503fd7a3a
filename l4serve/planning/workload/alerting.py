"""The alerts of a workload, from its contract's metrics and its config's objectives. Data: data/alerts.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from math import ceil
from typing import Any, Literal

from packaging.specifiers import SpecifierSet
from pydantic.alias_generators import to_snake

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step, refuse_all
from l4serve.config.keys.alerts import Alerts, Objectives
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.engines.releases.contract import Contract
from l4serve.planning.models.purpose import Purpose
from l4serve.planning.workload.pods.start import StartPlan
from l4serve.planning.workload.surroundings import Surroundings

_MISSING = "missing"
"""The alert that says of fewer pods than planned."""
_NOT_SERVING = "not-serving"
"""The alert that says of none."""
_RUNBOOK = "docs/runbook.md"
"""Where the runbook lies in this project."""


@frozen(kw_only=True)
class AlertPlan:
    """One alert: a PromQL expression that holds for some time."""

    name: str
    """Such as first-token-fast-burn."""
    expr: str
    hold: str
    """How long it must hold, as Prometheus writes durations."""
    severity: Literal["critical", "warning"]
    summary: str
    runbook: str
    """Address of the section of the runbook; the file of this project where the stack names no address."""


@frozen(kw_only=True)
class AlertsPlan:
    """The alerts of a workload, and who raises them."""

    via: Literal["rules", "policies"]
    channels: tuple[str, ...]
    rules: tuple[AlertPlan, ...]


def plan_alerts(
    name: str,
    workload: Workload,
    contract: Contract,
    around: Surroundings,
    start: Step[StartPlan],
    purpose: Step[Purpose],
) -> AlertsPlan | None:
    """The alerts of a workload by its name in the config; None where the stack asks for none, or it runs no pod.

    Raises ConfigError for a promise between the bounds that the engine counts by: nobody could tell whether it is kept.
    """
    config = around.monitoring.alerts
    if config is None or not workload.most_replicas:
        return None
    objectives = workload.objectives.over(config.objectives) if workload.objectives else config.objectives
    latencies = tuple(_latencies(purpose()))
    refuse_all(
        (
            *_between_bounds(name, workload, objectives, contract, latencies),
            *_uncounted(name, workload, contract),
            *_purposeless(name, workload, purpose()),
        )
    )
    job = workload.renamed_from or name
    own = {"cluster": around.site().cluster.name, "namespace": around.namespace, "job": job}
    labels = ", ".join(f'{label}="{value}"' for label, value in own.items() if value is not None)
    pods = Pods(workload.fewest_replicas, _hold(start(), 1))
    made = (*_burning(objectives, contract, labels, latencies), *_causes(objectives, contract, labels, pods))
    address = config.runbook or _RUNBOOK
    rules = tuple(
        AlertPlan(
            name=alert,
            expr=expr,
            hold=hold,
            severity=severity,
            summary=f"{job}: {says}",
            runbook=f"{address}#{section}",
        )
        for alert, section, expr, hold, severity, says in made
    )
    return AlertsPlan(via=config.via, channels=config.notification_channels, rules=rules)


@frozen()
class Pods:
    """The pods that a workload has at the least, and how long fewer of them may serve while it is updated."""

    least: int
    hold: str


def through_updates(
    alerts: AlertsPlan | None, start: StartPlan, workload: Workload, *, surges: bool
) -> AlertsPlan | None:
    """The alerts of pods whose updates make the new one first (`surges`), or take the old ones away in turn."""
    if alerts is None:
        return None
    holds = {_MISSING: _hold(start, 1 if surges else workload.most_replicas)}
    if workload.fewest_replicas == 1 and not surges:
        holds[_NOT_SERVING] = _hold(start, 1)
    return replace(alerts, rules=tuple(replace(r, hold=holds.get(r.name, r.hold)) for r in alerts.rules))


def _hold(start: StartPlan, in_turn: int) -> str:
    """Twice what so many pods take to start one after the other, in minutes."""
    bounds = _table()["missing"]
    minutes = ceil(2 * (start.total or 0) * in_turn / 60)
    return f"{min(max(int(bounds['leastMinutes']), minutes), int(bounds['mostMinutes']))}m"


def alert_notes(workload: Workload, contract: Contract, around: Surroundings) -> Iterator[str]:
    """A sentence for each promise, and each cause of trouble, that the workload's release shows nothing of."""
    config = around.monitoring.alerts
    if config is None or not workload.most_replicas:
        return
    if config.runbook is None:
        yield f"its alerts name {_RUNBOOK}, a file of this project that whoever is woken may not have at hand"
    for row in _unseen(contract):
        promised = _promise(row, config.objectives)
        says = row.get("unseen", row["says"]).format(seconds=promised, percent=100 * promised)
        yield f"no alert tells when {says}: {contract.name} counts none of them"
    unshown = (row["says"] for row in _table()["causes"] if _metric(row, contract) is None)
    yield from (f"no alert tells when {says}: {contract.name} shows no metric of it" for says in unshown)
    if _blames_clients(contract):
        told = f"{contract.name} counts requests that the client got wrong among those that fail"
        yield f"{told}: its alerts of errors are only warnings"


def alertmanager_secret() -> tuple[str, str, str]:
    """Namespace, name and key of the Secret from which the managed alertmanager reads whom to tell."""
    manager = _table()["alertmanager"]
    return manager["namespace"], manager["secret"], manager["key"]


def unheard_note(config: Alerts | None) -> str | None:
    """What to say where alerts reach nobody: the cluster's alertmanager has no receiver, the policies no channel."""
    if config is None or config.notification_channels:
        return None
    if config.via == "policies":
        return "alerts reach nobody: policies without notificationChannels show incidents only in the console"
    namespace, secret, key = alertmanager_secret()
    return (
        f"alerts reach nobody until Secret {namespace}/{secret} says whom, by {key}, which this stack does not make: "
        "the managed alertmanager drops them"
    )


def _unseen(contract: Contract) -> Iterator[Mapping[str, Any]]:
    """Promises that a release counts nothing of."""
    yield from (row for row in _table()["latencies"] if _metric(row, contract) is None)
    if not _counts_errors(contract):
        yield _table()["errors"]


def _uncounted(name: str, workload: Workload, contract: Contract) -> Iterator[Problem]:
    """Promises of the workload's own that its release shows no metric for."""
    stated = workload.objectives.model_fields_set if workload.objectives else ()
    for row in _unseen(contract):
        if to_snake(row["objective"]) in stated:
            message = f"{contract.name} shows no metric of it, so nobody could tell whether it is kept"
            yield Problem(f"workloads.{name}.objectives.{row['objective']}", message, "remove it")


def _latencies(purpose: Purpose) -> Iterator[Mapping[str, Any]]:
    """Promises that a model of this purpose can keep or break."""
    return (row for row in _table()["latencies"] if purpose in row.get("purposes", (purpose,)))


def _purposeless(name: str, workload: Workload, purpose: Purpose) -> Iterator[Problem]:
    """Promises of the workload's own about what its model never does."""
    stated, kept = workload.objectives.model_fields_set if workload.objectives else (), [*_latencies(purpose)]
    for row in _table()["latencies"]:
        if row not in kept and to_snake(row["objective"]) in stated:
            message = f"a model that serves {purpose} answers at once, so no token follows another"
            yield Problem(f"workloads.{name}.objectives.{row['objective']}", message, "remove it")


def sections() -> tuple[str, ...]:
    """The sections of the runbook that alerts link to."""
    table = _table()
    return tuple(row["id"] for row in (*table["latencies"], table["errors"], *table["causes"]))


_Made = tuple[str, str, str, str, Any, str]
"""Name, section of the runbook, expression, duration, severity and words of an alert."""


def _between_bounds(
    name: str, workload: Workload, objectives: Objectives, contract: Contract, latencies: Iterable[Mapping[str, Any]]
) -> Iterator[Problem]:
    stated = workload.objectives.model_fields_set if workload.objectives else ()
    for row in latencies:
        at = f"workloads.{name}" if to_snake(row["objective"]) in stated else "monitoring.alerts"
        seconds, bounds = _promise(row, objectives), row["buckets"].get(contract.engine)
        if bounds is not None and _metric(row, contract) and seconds not in bounds:
            near = min(bounds, key=lambda bound: abs(bound - seconds))
            counted = ", ".join(f"{bound:g}" for bound in bounds)
            message = f"{contract.name} counts by {counted} s, so nobody can tell how many come within {seconds:g} s"
            yield Problem(f"{at}.objectives.{row['objective']}", message, f"set it to {near:g}")


def _burning(
    objectives: Objectives, contract: Contract, labels: str, latencies: Iterable[Mapping[str, Any]]
) -> Iterator[_Made]:
    """Burn rates of the promises on latency and errors."""
    for row in latencies:
        metric, seconds = _metric(row, contract), _promise(row, objectives)
        if metric is None:
            continue
        says = row["says"].format(seconds=seconds)
        if contract.engine not in row["buckets"]:
            rate = f"sum by (le) (rate({metric}_bucket{{{labels}}}[10m]))"
            expr = f"histogram_quantile({objectives.within:g}, {rate}) > {seconds:g}"
            yield row["id"], row["id"], expr, "10m", "warning", says
            continue
        whole = "(.0)?" if seconds == int(seconds) else ""
        within = f'rate({metric}_bucket{{{labels}, le=~"{seconds:g}{whole}"}}[{{window}}])'
        late = f"1 - (sum({within}) / sum(rate({metric}_count{{{labels}}}[{{window}}])))"
        yield from _windows(row["id"], late, 1 - objectives.within, says)
    row = _table()["errors"]
    if _counts_errors(contract):
        share = row["share"][contract.engine].format(labels=labels)
        severity = "warning" if _blames_clients(contract) else None
        yield from _windows(row["id"], share, objectives.errors, row["says"], severity)


def _counts_errors(contract: Contract) -> bool:
    return _holds(_table()["errors"]["counted"], contract)


def _blames_clients(contract: Contract) -> bool:
    return _holds(_table()["errors"]["blamesClients"], contract)


def _holds(releases: Mapping[str, str], contract: Contract) -> bool:
    asked = releases.get(contract.engine)
    return asked is not None and SpecifierSet(asked).contains(contract.version, prereleases=True)


def _windows(identity: str, share: str, budget: float, says: str, severity: str | None = None) -> Iterator[_Made]:
    for burn in _table()["burns"]:
        most = f"{burn['factor'] * budget:.6g}"
        parts = (f"({share.replace('{window}', burn[window])}) > {most}" for window in ("long", "short"))
        yield (
            f"{identity}-{burn['name']}-burn",
            identity,
            " and ".join(parts),
            burn["for"],
            severity or burn["severity"],
            f"{says}, {burn['factor']:g} times as many as promised over {burn['long']}",
        )


def _causes(objectives: Objectives, contract: Contract, labels: str, pods: Pods) -> Iterator[_Made]:
    for row in _table()["causes"]:
        metric = _metric(row, contract)
        if metric is None or pods.least < row.get("leastPods", 0):
            continue
        series = f"{metric}_count" if contract.metrics.get(metric) == "histogram" else metric
        numbers = {"queue": objectives.queue, "pods": pods.least}
        running = contract.autoscaling_metrics["running"]
        expr = row["expr"].format(metric=metric, series=series, running=running, labels=labels, **numbers)
        hold = pods.hold if row["for"] == "start" else row["for"]
        yield row["id"], row["id"], expr, hold, row["severity"], row["says"].format(**numbers)


def _metric(row: Mapping[str, Any], contract: Contract) -> str | None:
    if "metric" in row:
        return str(row["metric"])
    if "role" in row:
        return contract.autoscaling_metrics.get(row["role"])
    named = row["metrics"].get(contract.engine, ())
    return next((name for name in named if name in contract.always_metrics), None)


def _promise(row: Mapping[str, Any], objectives: Objectives) -> float:
    return float(getattr(objectives, to_snake(row["objective"])))


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "alerts.yaml")
    return table
