"""The dashboard of a stack, as Cloud Monitoring takes it: one chart per subject, one line per workload and curve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.engines.releases.contract import Contract
from l4serve.planning.workload.workload_plan import WorkloadPlan

_WINDOW = "5m"
_COLUMNS, _WIDTH, _HEIGHT = 48, 24, 16
_CURVES: Mapping[str, str] = {
    "sum": "sum({metric}{{{labels}}})",
    "average": "avg({metric}{{{labels}}})",
    "rate": "sum(rate({metric}{{{labels}}}[{window}]))",
    "p50": "histogram_quantile(0.5, sum by (le) (rate({metric}_bucket{{{labels}}}[{window}])))",
    "p95": "histogram_quantile(0.95, sum by (le) (rate({metric}_bucket{{{labels}}}[{window}])))",
}


def _charts() -> Iterable[Mapping[str, Any]]:
    charts: Iterable[Mapping[str, Any]] = load_data(__file__, "dashboard.yaml")["charts"]
    return charts


def chart_metrics(contract: Contract) -> Mapping[str, str]:
    """The metric behind each chart, by the chart's title; a chart that the engine has no metric for is left out."""
    found = ((chart["title"], _metric(chart, contract)) for chart in _charts())
    return {title: metric for title, metric in found if metric is not None}


def _metric(chart: Mapping[str, Any], contract: Contract) -> str | None:
    if "role" in chart:
        return contract.autoscaling_metrics.get(chart["role"])
    candidates = chart["metrics"].get(contract.engine, ())
    return next((name for name in candidates if name in contract.always_metrics), None)


def dashboard_definition(
    stack: str, *, cluster: str | None, namespace: str, workloads: Iterable[WorkloadPlan]
) -> dict[str, Any]:
    """The dashboard as the Monitoring API's JSON. A chart that no workload has a metric for is left out.

    Lines are those of the workloads' own PodMonitoring objects, whose names become the label `job`.
    """
    own = {"cluster": cluster, "namespace": namespace}
    shared = {label: value for label, value in own.items() if value is not None}
    workloads = tuple(workloads)
    charts = ((chart, tuple(_lines(chart, workloads, shared))) for chart in _charts())
    widgets = [_widget(chart["title"], lines) for chart, lines in charts if lines]
    return {
        "displayName": f"LLM serving: {stack}",
        "mosaicLayout": {"columns": _COLUMNS, "tiles": [_tile(i, widget) for i, widget in enumerate(widgets)]},
    }


def _lines(
    chart: Mapping[str, Any], workloads: Iterable[WorkloadPlan], shared: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for workload in workloads:
        contract = workload.engine.contract
        metric = _metric(chart, contract)
        if metric is None:
            continue
        labels = ", ".join(f'{key}="{value}"' for key, value in {**shared, "job": workload.object_name}.items())
        series = f"{metric}_sum" if _adds_a_histogram(chart, contract.metrics[metric]) else metric
        for curve in chart["curves"]:
            query = _CURVES[curve].format(metric=series, labels=labels, window=_WINDOW)
            legend = workload.name if len(chart["curves"]) == 1 else f"{workload.name} {curve}"
            yield {"timeSeriesQuery": {"prometheusQuery": query}, "plotType": "LINE", "legendTemplate": legend}


def _adds_a_histogram(chart: Mapping[str, Any], metric_type: str) -> bool:
    return "rate" in chart["curves"] and metric_type == "histogram"


def _widget(title: str, lines: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {"title": title, "xyChart": {"dataSets": list(lines), "yAxis": {"scale": "LINEAR"}}}


def _tile(position: int, widget: dict[str, Any]) -> dict[str, Any]:
    row, column = divmod(position, _COLUMNS // _WIDTH)
    place = {"xPos": column * _WIDTH, "yPos": row * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
    return {**place, "widget": widget}
