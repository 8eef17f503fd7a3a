"""The alerts of a workload, from its contract's metrics and its config's objectives. Data: data/alerts.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from math import ceil
from typing import Any, Literal

from pydantic.alias_generators import to_snake

from l4serve.config.alerts import Objectives
from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step, refuse_all
from l4serve.config.problems import Problem
from l4serve.config.workload import Workload
from l4serve.engines.contract import Contract
from l4serve.planning.workload.start import StartPlan
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
    name: str, workload: Workload, contract: Contract, around: Surroundings, start: Step[StartPlan]
) -> AlertsPlan | None:
    """The alerts of a workload by its name in the config; None where the stack asks for none, or it runs no pod.

    Raises ConfigError for a promise between the bounds that the engine counts by: nobody could tell whether it is kept.
    """
    config = around.monitoring.alerts
    if config is None or not workload.most_replicas:
        return None
    objectives = workload.objectives or config.objectives
    at = f"workloads.{name}.objectives" if workload.objectives else "monitoring.alerts.objectives"
    refuse_all((*_between_bounds(at, objectives, contract), *_uncounted(name, workload, contract)))
    job = workload.renamed_from or name
    own = {"cluster": around.site().cluster.name, "namespace": around.namespace, "job": job}
    labels = ", ".join(f'{label}="{value}"' for label, value in own.items() if value is not None)
    pods = Pods(workload.fewest_replicas, _hold(start(), 1))
    made = (*_burning(objectives, contract, labels), *_causes(objectives, contract, labels, pods))
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
    """A sentence for each of the stack's promises that no alert of the workload's release can hold."""
    config = around.monitoring.alerts
    if config is not None and config.runbook is None and workload.most_replicas:
        yield f"its alerts name {_RUNBOOK}, a file of this project that whoever is woken may not have at hand"
    if config is not None and workload.objectives is None and workload.most_replicas:
        for row in _unseen(contract):
            says = row["says"].format(seconds=_promise(row, config.objectives))
            yield f"no alert tells when {says}: {contract.name} counts none of them"


def _unseen(contract: Contract) -> Iterator[Mapping[str, Any]]:
    return (row for row in _table()["latencies"] if _metric(row, contract) is None)


def _uncounted(name: str, workload: Workload, contract: Contract) -> Iterator[Problem]:
    """Promises of the workload's own that its release shows no metric for."""
    stated = workload.objectives.model_fields_set if workload.objectives else ()
    for row in _unseen(contract):
        if to_snake(row["objective"]) in stated:
            message = f"{contract.name} shows no metric of it, so nobody could tell whether it is kept"
            yield Problem(f"workloads.{name}.objectives.{row['objective']}", message, "remove it")


def sections() -> tuple[str, ...]:
    """The sections of the runbook that alerts link to."""
    table = _table()
    rows = (*table["latencies"], table["errors"], *table["causes"])
    return tuple(row["id"] for row in rows)


_Made = tuple[str, str, str, str, Any, str]
"""Name, section of the runbook, expression, duration, severity and words of an alert."""


def _between_bounds(at: str, objectives: Objectives, contract: Contract) -> Iterator[Problem]:
    for row in _table()["latencies"]:
        seconds, bounds = _promise(row, objectives), row["buckets"].get(contract.engine)
        if bounds is not None and _metric(row, contract) and seconds not in bounds:
            near = min(bounds, key=lambda bound: abs(bound - seconds))
            counted = ", ".join(f"{bound:g}" for bound in bounds)
            message = f"{contract.name} counts by {counted} s, so nobody can tell how many come within {seconds:g} s"
            yield Problem(f"{at}.{row['objective']}", message, f"set it to {near:g}")


def _burning(objectives: Objectives, contract: Contract, labels: str) -> Iterator[_Made]:
    """Burn rates of the promises on latency and errors."""
    for row in _table()["latencies"]:
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
    if contract.engine in row["share"]:
        share = row["share"][contract.engine].format(labels=labels)
        yield from _windows(row["id"], share, objectives.errors, row["says"])


def _windows(identity: str, share: str, budget: float, says: str) -> Iterator[_Made]:
    for burn in _table()["burns"]:
        most = f"{burn['factor'] * budget:.6g}"
        parts = (f"({share.replace('{window}', burn[window])}) > {most}" for window in ("long", "short"))
        yield (
            f"{identity}-{burn['name']}-burn",
            identity,
            " and ".join(parts),
            burn["for"],
            burn["severity"],
            f"{says}, {burn['factor']:g} times as many as promised over {burn['long']}",
        )


def _causes(objectives: Objectives, contract: Contract, labels: str, pods: Pods) -> Iterator[_Made]:
    for row in _table()["causes"]:
        metric = _metric(row, contract)
        if metric is None or pods.least < row.get("leastPods", 0):
            continue
        series = f"{metric}_count" if contract.metrics.get(metric) == "histogram" else metric
        numbers = {"queue": objectives.queue, "pods": pods.least}
        expr = row["expr"].format(metric=metric, series=series, labels=labels, **numbers)
        hold = pods.hold if row["for"] == "start" else row["for"]
        yield row["id"], row["id"], expr, hold, row["severity"], row["says"].format(**numbers)


def _metric(row: Mapping[str, Any], contract: Contract) -> str | None:
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
