"""Writes the errors into docs/performance-model.md and draws predicted against measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.performance.crossings import crossings_table
from benchmarks.performance.named_rows import named_line
from benchmarks.performance.point_errors import NAMES, Answers, errors, relative
from benchmarks.performance.points import METRICS, Metric, Point
from l4serve.config.data_file import read_data
from l4serve.planning.performance import kernel_rates

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance-model.md"
PLOT = ROOT / "docs" / "images" / "performance_accuracy.svg"
DATA = Path(kernel_rates.__file__).parent / "data"
COLOURS = ("#1f5fa8", "#c25b12", "#2e8540", "#7b3294", "#555555")


def refresh_docs(
    points: tuple[Point, ...],
    answers: Mapping[str, Answers],
    h100: tuple[Point, ...],
    ours: Mapping[str, Answers],
    *,
    sets: tuple[tuple[Point, ...], ...],
    picks: str,
    covered: str,
    own: str,
    held_out: str,
    left: Mapping[str, int],
) -> None:
    """Replaces the generated parts of the page, each between its two marks, and the plot beside it; `sets` are the
    points that settled no fitted constant: the advisor's, of other models, of another host, under a rate, of a
    server, at the pace of the host, of dense models as servers, of prompts that share a beginning."""
    advised, unseen, elsewhere, rated, served, paced, dense, sharing = sets
    page = PAGE.read_text("utf-8")
    full = tuple(point for point in points if point.saturated)
    parts = {
        "errors": _table(points, answers),
        "errors-saturated": _table(full, answers, metrics=("tokens",)),
        "errors-h100": _table(h100, ours),
        "errors-advised": _table(advised, ours),
        "errors-unseen": _table(unseen, ours),
        "errors-host": _table(elsewhere, ours),
        "errors-rate": _table(rated, ours),
        "errors-server": _table(served, ours),
        "errors-paced": _table(paced, ours),
        "errors-dense": _table(dense, ours),
        "errors-prefix": _table(sharing, ours),
        "prefix-before": _before(sharing, ours[own]),
        "points-prefix": _points(sharing, ours[own], None),
        "points-dense": _points(dense, ours[own], None),
        "server-before": _before(served, ours[own]),
        "paced-before": _before(paced, ours[own]),
        "points-paced": _points(paced, ours[own], None),
        "points-server": _points(served, ours[own], None),
        "points-host": _points(elsewhere, ours[own], None),
        "points-rate": _points(rated, ours[own], None),
        "picks": picks,
        "coverage": covered,
        "points": _points(points, answers[own], answers[held_out]),
        "points-h100": _points(h100, ours[own], None),
        "constants": _constants(),
        "cards": _cards(),
        "crossings": crossings_table(),
        "named": f"{named_line()}.",
        "left": "\n".join(f"- {count}: {reason}" for reason, count in left.items()),
    }
    for name, body in parts.items():
        page = between(page, name, body)
    PAGE.write_text(page, "utf-8")
    draw(points, answers[held_out])


def between(page: str, name: str, body: str) -> str:
    """The page with another body between the marks of a part; raises ValueError where it has no such marks."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"docs/performance-model.md has no marks for {name}")
    return f"{head}{begin}\n{body}\n{end}{tail}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _table(points: tuple[Point, ...], answers: Mapping[str, Answers], metrics: tuple[Metric, ...] = METRICS) -> str:
    lines = [
        "| figure | estimator | answers | median error | 90th percentile | pairs ranked right |",
        "|---|---|---|---|---|---|",
    ]
    for metric in metrics:
        for name, own in answers.items():
            found = errors(points, metric, own)
            if found.answered:
                lines.append(
                    f"| {NAMES[metric]} | {name} | {found.answered} of {found.asked} | {_percent(found.median)} "
                    f"| {_percent(found.p90)} | {_percent(found.rank_share)} of {found.pairs} |"
                )
    return "\n".join(lines)


def _points(points: tuple[Point, ...], own: Answers, held_out: Answers | None) -> str:
    lines = ["| group | load | in, out | figure | measured | error | held out |", "|---|---|---|---|---|---|---|"]
    for point in points:
        load = point.load
        for metric, value in point.measured.items():
            blind = relative(point, metric, held_out) if held_out else None
            lines.append(
                f"| {point.group} | {_asked(point)} | {load.input_tokens}, {load.output_tokens} | {NAMES[metric]} "
                f"| {value:,.5g} | {_signed(relative(point, metric, own))} | {_signed(blind)} |"
            )
    return "\n".join(lines)


CASES = {"eager": "eager", "piecewise": "graphs without attention", "lora": "adapters", "deepseek": "latent attention"}


def _case(point: Point) -> str:
    if point.load.shared_tokens:
        return "a shared beginning"
    plain = "none of these" if point.question.model.moe is None else "experts"
    if "-0-adapters" in point.id:
        return plain
    return next((case for mark, case in CASES.items() if mark in point.group), plain)


def _before(points: tuple[Point, ...], own: Answers) -> str:
    """Median errors of what was said before the points were measured, and of what is said now, by case."""
    points = tuple(point for point in points if point.id in point.row["said"])
    said: Answers = {point.id: point.row["said"][point.id] for point in points}
    lines = ["| case | points | time of a token | first token | tokens/s |", "|---|---|---|---|---|"]
    for case in dict.fromkeys(map(_case, points)):
        those = tuple(point for point in points if _case(point) == case)
        found = (
            f"{_percent(errors(those, metric, said).median)}, {_percent(errors(those, metric, own).median)}"
            for metric in METRICS
        )
        lines.append(f"| {case} | {len(those)} | {' | '.join(found)} |")
    return "\n".join(lines)


def _asked(point: Point) -> str:
    load = point.load
    same = f", {load.shared_tokens} shared" if load.shared_tokens else ""
    return (
        f"{load.rate:g} a second{same}" if load.rate else f"{load.clients}{' at once' if point.at_once else ''}{same}"
    )


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:+.1f} %"


def _constants() -> str:
    table = read_data(DATA / "kernels.yaml")
    lines = ["| constant | value | start | what | source of the start |", "|---|---|---|---|---|"]
    for name, row in table["constants"].items():
        source = table["sources"].get(row["source"], row["source"])
        lines.append(f"| `{name}` | {row['value']:g} | {row['start']:g} | {row['what']} | {source} |")
    return "\n".join(lines)


def _cards() -> str:
    lines = ["| card | reads GB/s | bf16 TFLOP/s | FP8 | figures |", "|---|---|---|---|---|"]
    for name, row in read_data(DATA / "card_speeds.yaml")["cards"].items():
        achieved = row.get("achieved", {})
        said = row["datasheet"] | achieved
        kind = "datasheet, of which a share is taken"
        if achieved:
            kind = (
                "achieved"
                if "readGbS" in achieved
                else "achieved by another card of its chip; of its bandwidth a share"
            )
        lines.append(f"| {name} | {said['readGbS']:g} | {said['bfloat16']:g} | {said.get('fp8', '-')} | {kind} |")
    return "\n".join(lines)


def draw(points: tuple[Point, ...], answers: Answers) -> None:
    """Predicted against measured on two logarithmic axes, one panel for each figure; bytes depend on the data alone."""
    mpl.rcParams["svg.hashsalt"] = "l4serve"
    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    sources = sorted({point.source for point in points})
    for index, metric in enumerate(METRICS):
        panel = figure.add_subplot(1, 3, index + 1)
        shown = [p for p in points if metric in p.measured and answers[p.id].get(metric)]
        values = [p.measured[metric] for p in shown]
        span = (0.7 * min(values), 1.4 * max(values))
        panel.plot(span, span, color="#888888", linewidth=0.8)
        panel.fill_between(span, [0.9 * v for v in span], [1.1 * v for v in span], color="#dddddd", linewidth=0)
        for colour, source in zip(COLOURS, sources, strict=False):
            own = [p for p in shown if p.source == source]
            if own:
                xs, ys = [p.measured[metric] for p in own], [answers[p.id][metric] for p in own]
                panel.scatter(xs, ys, s=14, color=colour, label=source.split("/")[-1], linewidths=0)
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_title(f"{NAMES[metric]}{'' if metric == 'tokens' else ', ms'}")
        panel.set_xlabel("measured")
        panel.set_ylabel("predicted, family held out" if not index else "")
        panel.legend(fontsize=7, frameon=False)
    figure.savefig(PLOT, format="svg", metadata={"Date": None, "Creator": None})
