"""Writes the error tables into docs/memory-model.md and draws predicted against observed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.estimators.cases import Case, field_records
from benchmarks.estimators.metrics import Summary, relative_error
from benchmarks.estimators.tools import Answer
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model

ROOT = Path(__file__).resolve().parents[2]
CONSTANTS = ROOT / "l4serve" / "planning" / "memory" / "data" / "constants.json"
PAGE = ROOT / "docs" / "memory-model.md"
PLOT = ROOT / "docs" / "images" / "fit_accuracy.png"
TITLES = {
    "field": "Field observations",
    "measured": "Measured",
    "measured-vision": "Vision",
    "measured-hybrid": "Linear attention",
    "measured-state": "Mamba and Whisper",
    "measured-speculation": "Speculation",
    "measured-parallel": "Two cards",
}
GUIDE_RELEASES = ("0.4.0", "0.6.6", "0.10.0", "0.19.1", "0.26.0", "0.33.0")
COLOURS = {
    "field": "#c25b12",
    "measured": "#1f5fa8",
    "measured-vision": "#2e8540",
    "measured-hybrid": "#7b3294",
    "measured-state": "#00868b",
    "measured-speculation": "#b8860b",
    "measured-parallel": "#555555",
}
Table = tuple[tuple[Case, ...], Mapping[str, Mapping[str, Answer]], Mapping[str, Summary]]


def refresh_docs(tables: Mapping[str, Table], own: str, held_out: str) -> None:
    """Replaces the generated parts of the page, each between its two marks, and the plot beside it."""
    page = PAGE.read_text(encoding="utf-8")
    for origin, table in tables.items():
        page = _between(page, f"errors-{origin}", _error_table(table))
        page = _between(page, f"cases-{origin}", _case_table(table, own, held_out))
    page = _between(page, "constants", _constants())
    page = _between(page, "not-judged", _not_judged())
    page = _between(page, "guide", _guide())
    PAGE.write_text(page, encoding="utf-8")
    draw(tables, own)


def _between(page: str, name: str, body: str) -> str:
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"docs/memory-model.md has no marks for {name}")
    return f"{head}{begin}\n{body}\n{end}{tail}"


def _error_table(table: Table) -> str:
    cases, _, summaries = table
    lines = [
        "| estimator | answers | median error | 90th percentile | false fits | of them warned | false refusals |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in summaries.items():
        warned = len(found.unsure_false_fits)
        lines.append(
            f"| {name} | {found.answered} of {len(cases)} | {_percent(found.median)} | {_percent(found.p90)} "
            f"| {len(found.false_fits) + warned} | {warned} | {len(found.false_refusals)} |"
        )
    unable = [
        f"{name}: {', '.join(f'{reason} ({count})' for reason, count in found.cannot.items())}"
        for name, found in summaries.items()
        if found.cannot
    ]
    return "\n".join([*lines, "", "What could not be answered: " + "; ".join(unable) + "."] if unable else lines)


def _case_table(table: Table, own: str, held_out: str) -> str:
    cases, answers, _ = table
    lines = ["| case | engine said | l4serve | error | family held out |", "|---|---|---|---|---|"]
    for case in cases:
        mine, blind = answers[own][case.id], answers[held_out][case.id]
        said = f"{case.tokens:,}" if case.tokens else ("started" if case.fits else "refused")
        lines.append(
            f"| {case.id} | {said} | {mine.tokens or 0:,.0f}{'' if mine.fits else ', refused'} "
            f"| {_signed(relative_error(mine, case))} | {_signed(relative_error(blind, case))} |"
        )
    return "\n".join(lines)


def _constants() -> str:
    entries = json.loads(CONSTANTS.read_text(encoding="utf-8"))
    lines = ["| constant | value | unit | source |", "|---|---|---|---|"]
    for name, entry in entries.items():
        if name != "note":
            value = entry["value"]
            shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
            lines.append(f"| `{name}` | {shown} | {entry['unit']} | {entry['source']} |")
    return "\n".join(lines)


def _guide() -> str:
    """What Gemma 7B gets on one L4, release by release."""
    model, gpu = find_model("google/gemma-7b"), find_gpu("nvidia-l4")
    assert model is not None
    assert gpu is not None
    lines = ["| vLLM | longest context | with an 8-bit cache | default 8,192 |", "|---|---|---|---|"]
    for version in GUIDE_RELEASES:
        plain, halved = (
            estimate(model, gpu, ServingOptions(engine="vllm", engine_version=version, kv_cache_dtype=cache))
            for cache in (None, "fp8")
        )
        verdict = "starts" if plain.fits else "refused"
        lines.append(f"| {version} | {plain.kv_cache_tokens:,} | {halved.kv_cache_tokens:,} | {verdict} |")
    return "\n".join(lines)


def _not_judged() -> str:
    return "\n".join(f"- {r['id']}: {r['notJudged']}." for r in field_records() if "notJudged" in r)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:+.1f} %"


def draw(tables: Mapping[str, Table], own: str) -> None:
    """Predicted against observed cache tokens on logarithmic axes, with the line of no error and a band of 8 %."""
    mpl.rcParams["svg.hashsalt"] = "l4serve"
    figure = Figure(figsize=(7.2, 6.4), layout="constrained")
    axes = figure.add_subplot()
    points = [(o, c.tokens, a[own][c.id].tokens) for o, (cs, a, _) in tables.items() for c in cs if c.tokens]
    drawn = [(origin, seen, said) for origin, seen, said in points if seen and said]
    ends = [min(min(p[1], p[2]) for p in drawn) / 1.5, max(max(p[1], p[2]) for p in drawn) * 1.5]
    axes.fill_between(ends, [0.92 * e for e in ends], [1.08 * e for e in ends], color="#dddddd", label="within 8 %")
    axes.plot(ends, ends, color="#555555", linewidth=1, label="no error")
    for origin, colour in COLOURS.items():
        mine = [(p[1], p[2]) for p in drawn if p[0] == origin]
        seen, said = [p[0] for p in mine], [p[1] for p in mine]
        axes.scatter(seen, said, s=26, color=colour, alpha=0.8, label=f"{TITLES[origin]} ({len(mine)})")
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    axes.set_xlabel("KV cache that the engine reported, tokens")
    axes.set_ylabel("KV cache that l4serve predicts, tokens")
    axes.legend(frameon=False)
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=130, metadata={"Software": None})
