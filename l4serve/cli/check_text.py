"""What `l4serve check` prints: per workload, now and after the move, side by side."""

from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from l4serve.cli.json_form import json_form
from l4serve.engines.migration import Move, Outcome
from l4serve.engines.traits import Verdict
from l4serve.planning.memory.fit import Fit

_NO_METRIC = "[red]no metric[/red]"
_COLOURS = {"error": "red", "warning": "yellow", "advice": "cyan"}


@dataclass(frozen=True)
class Watched:
    """A metric that the stack reads, under both contracts; None where the release does not show it."""

    use: str
    """autoscaling or dashboard."""
    what: str
    now: str | None
    then: str | None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One workload under its own version and the one asked about."""

    name: str
    engine: str
    move: Move
    fit_now: Fit | None
    fit_then: Fit | None
    must_fit: bool
    """Whether a model that does not fit stops the preview."""
    watched: tuple[Watched, ...]
    notes: tuple[str, ...]

    @property
    def breaks(self) -> bool:
        """Whether the workload would not run, or not scale, after the move."""
        too_big = self.must_fit and self.fit_then is not None and not self.fit_then.fits
        blind = any(metric.use == "autoscaling" and metric.then is None for metric in self.watched)
        return self.move.then.breaks or too_big or blind


def print_check(stack: str, checked: tuple[Checked, ...], console: Console) -> None:
    """A table of one row for each workload and subject."""
    for one in checked:
        now, then = one.move.now, one.move.then
        verdict = "[red]breaks[/red]" if one.breaks else "[green]runs[/green]"
        heading = f"{one.name}: {one.engine} {now.version}"
        moved = now.version != then.version or now.contract != then.contract
        columns = ("now " + now.contract, "then " + then.contract) if moved else (now.contract,)
        headers = (Column(name, overflow="fold") for name in columns)
        table = Table("", *headers, show_lines=True, expand=True, title_justify="left")
        table.title = f"{heading} -> {then.version} {verdict}" if moved else f"{heading} {verdict}"
        for subject, *cells in _rows(one):
            table.add_row(subject, *cells[: len(columns)])
        console.print(table)
        for note in one.notes:
            console.print(f"[yellow]note:[/yellow] {escape(note)}")
    broken = [one.name for one in checked if one.breaks]
    console.print(f"{stack}: " + (f"[red]{', '.join(broken)} would not run[/red]" if broken else "nothing breaks"))


def _rows(one: Checked) -> list[tuple[str, str, str]]:
    move = one.move
    rows = [
        ("flags", _flags(move.now), _flags(move.then)),
        ("rules", _verdicts(move.now.verdicts), _verdicts(move.then.verdicts)),
        ("memory", _memory(one.fit_now), _memory(one.fit_then)),
    ]
    if move.defaults_changed:
        before = "\n".join(f"{change.flag} {change.before}" for change in move.defaults_changed)
        after = "\n".join(f"{change.flag} {change.after}" for change in move.defaults_changed)
        rows.append(("defaults", before, after))
    told = [metric for metric in one.watched if metric.use == "autoscaling" or metric.now != metric.then]
    if told:
        before = "\n".join(f"{metric.use}, {metric.what}: {metric.now or _NO_METRIC}" for metric in told)
        after = "\n".join(f"{metric.use}, {metric.what}: {metric.then or _NO_METRIC}" for metric in told)
        rows.append(("metrics read", before, after))
    if move.metrics_gone:
        names = "\n".join(gone.name for gone in move.metrics_gone)
        rows.append(("metrics", names, "\n".join(f"gone: {escape(gone.remedy)}" for gone in move.metrics_gone)))
    return rows


def _flags(outcome: Outcome) -> str:
    refused = [f"[red]{escape(p.path)}[/red]: {escape(p.message)}\n  fix: {escape(p.remedy)}" for p in outcome.refusals]
    deprecated = [f"[yellow]deprecated[/yellow] {escape(text)}" for text in outcome.deprecated]
    accepted = [f"{len(outcome.launch.argv)} arguments accepted"] if outcome.launch else []
    return "\n".join(refused + deprecated + accepted)


def _verdicts(verdicts: tuple[Verdict, ...]) -> str:
    return (
        "\n".join(
            f"[{_COLOURS[v.severity]}]{v.severity}[/] {v.rule_id}\n  {escape(v.reason)}\n  fix: {escape(v.remedy)}"
            for v in verdicts
        )
        or "none holds"
    )


def _memory(fit: Fit | None) -> str:
    if fit is None:
        return "not judged"
    verdict = "fits" if fit.fits else "[red]does not fit[/red]"
    return f"{verdict}; {fit.kv_cache_tokens:,} tokens of KV cache, {fit.kv_cache_gib:.2f} GiB"


def check_json(stack: str, version: str | None, checked: tuple[Checked, ...]) -> dict[str, object]:
    """The documented JSON form."""
    return {
        "stack": stack,
        "engineVersion": version,
        "breaks": any(one.breaks for one in checked),
        "workloads": {one.name: _workload_json(one) for one in checked},
    }


def _workload_json(one: Checked) -> dict[str, object]:
    return {
        "engine": one.engine,
        "breaks": one.breaks,
        "now": _outcome_json(one.move.now, one.fit_now),
        "then": _outcome_json(one.move.then, one.fit_then),
        "newRules": [verdict.rule_id for verdict in one.move.new_verdicts],
        "settledRules": [verdict.rule_id for verdict in one.move.settled_verdicts],
        "metricsRead": json_form(one.watched),
        "metricsGone": json_form(one.move.metrics_gone),
        "defaultsChanged": json_form(one.move.defaults_changed),
        "notes": list(one.notes),
    }


def _outcome_json(outcome: Outcome, fit: Fit | None) -> dict[str, object]:
    return {
        "version": outcome.version,
        "contract": outcome.contract,
        "breaks": outcome.breaks,
        "argv": list(outcome.launch.argv) if outcome.launch else None,
        "env": dict(outcome.launch.env) if outcome.launch else None,
        "refusals": json_form(outcome.refusals),
        "deprecated": list(outcome.deprecated),
        "rules": json_form(outcome.verdicts),
        "memory": {
            "fits": fit.fits,
            "kvCacheTokens": fit.kv_cache_tokens,
            "kvCacheGib": round(fit.kv_cache_gib, 3),
        }
        if fit
        else None,
    }
