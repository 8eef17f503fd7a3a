"""What `l4serve check` prints: per workload, now and after the move, side by side."""

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from l4serve.cli.shell.json_form import json_form
from l4serve.cli.shell.output import one_line
from l4serve.engines.traits import Verdict
from l4serve.planning.stack.version_move import Moved, Side
from l4serve.planning.workload.judgement.judging import Judgement, judged_lengths
from l4serve.planning.workload.judgement.prospect import MOST_TOLD

_NO_METRIC = "no metric"
_COLOURS = {"error": "red", "warning": "yellow", "advice": "cyan"}


def print_check(stack: str, checked: tuple[Moved, ...], console: Console) -> None:
    """A table of one row for each workload and subject; of very many workloads the outcome of the rest."""
    for one in checked[:MOST_TOLD]:
        console.print(_table(one))
        for note in one.notes:
            console.print(Text.assemble(("note:", "yellow"), f" {one_line(note)}"))
    if rest := checked[MOST_TOLD:]:
        console.print(Text("\n").join(map(_title, rest)), soft_wrap=True)
    broken = [one.name for one in checked if one.breaks]
    outcome = Text(f"{', '.join(broken)} would not run", style="red") if broken else Text("nothing breaks")
    console.print(Text(f"{stack}: ") + outcome)


def _table(one: Moved) -> Table:
    now, then = one.now.contract.name, one.then.contract.name
    columns = (f"now {now}", f"then {then}") if _moves(one) else (now,)
    headers = (Column(name, overflow="fold") for name in columns)
    table = Table("", *headers, title=_title(one), show_lines=True, expand=True, title_justify="left")
    for subject, *cells in _rows(one):
        table.add_row(subject, *cells[: len(columns)])
    return table


def _title(one: Moved) -> Text:
    heading = f"{one.name}: {one.engine} {one.now.version}"
    verdict = ("breaks", "red") if one.breaks else ("runs", "green")
    return Text.assemble(f"{heading} -> {one.then.version} " if _moves(one) else f"{heading} ", verdict)


def _moves(one: Moved) -> bool:
    return one.now.version != one.then.version or one.now.contract.name != one.then.contract.name


def _rows(one: Moved) -> list[tuple[str, str | Text, str | Text]]:
    rows: list[tuple[str, str | Text, str | Text]] = [
        ("flags", _flags(one.now), _flags(one.then)),
        ("rules", _verdicts(one.now.judgement.verdicts), _verdicts(one.then.judgement.verdicts)),
        ("memory", _memory(one.now.judgement), _memory(one.then.judgement)),
    ]
    if one.defaults_changed:
        before = "\n".join(f"{change.flag} {change.before}" for change in one.defaults_changed)
        after = "\n".join(f"{change.flag} {change.after}" for change in one.defaults_changed)
        rows.append(("defaults", before, after))
    told = [metric for metric in one.watched if metric.use == "autoscaling" or metric.now != metric.then]
    if told:
        before = "\n".join(f"{metric.use}, {metric.what}: {metric.now or _NO_METRIC}" for metric in told)
        after = "\n".join(f"{metric.use}, {metric.what}: {metric.then or _NO_METRIC}" for metric in told)
        rows.append(("metrics read", before, after))
    if one.metrics_gone:
        names = "\n".join(gone.name for gone in one.metrics_gone)
        rows.append(("metrics", names, "\n".join(f"gone: {gone.remedy}" for gone in one.metrics_gone)))
    return rows


def _flags(side: Side) -> Text:
    refused = [
        Text.assemble((one_line(p.path), "red"), f": {one_line(p.message)}\n  fix: {one_line(p.remedy)}")
        for p in side.refusals
    ]
    deprecated = [Text.assemble(("deprecated", "yellow"), f" {one_line(text)}") for text in side.deprecated]
    accepted = [Text(f"{len(side.judgement.launch.argv)} arguments accepted")] if side.judgement.launch else []
    return Text("\n").join(refused + deprecated + accepted)


def _verdicts(verdicts: tuple[Verdict, ...]) -> Text:
    told = (
        Text.assemble(
            (v.severity, _COLOURS[v.severity]),
            f" {v.rule_id}\n  {one_line(v.reason)}\n  fix: {one_line(v.remedy)}",
        )
        for v in verdicts
    )
    return Text("\n").join(told) if verdicts else Text("no rule applies")


def _memory(judgement: Judgement) -> Text:
    fit = judgement.fit
    if fit is None:
        return Text("not judged")
    verdict = Text("fits") if fit.fits else Text("does not fit", style="red")
    return verdict.append(f"; {fit.kv_cache_tokens:,} tokens of KV cache, {fit.kv_room_gib:.2f} GiB", style="default")


def check_json(stack: str, version: str | None, checked: tuple[Moved, ...]) -> dict[str, object]:
    """The documented JSON form."""
    return {
        "stack": stack,
        "engineVersion": version,
        "breaks": any(one.breaks for one in checked),
        "workloads": {one.name: _workload_json(one) for one in checked},
    }


def _workload_json(one: Moved) -> dict[str, object]:
    return {
        "engine": one.engine,
        "breaks": one.breaks,
        "now": _side_json(one.now),
        "then": _side_json(one.then),
        "newRules": [verdict.rule_id for verdict in one.new_verdicts],
        "settledRules": [verdict.rule_id for verdict in one.settled_verdicts],
        "metricsRead": json_form(one.watched),
        "metricsGone": json_form(one.metrics_gone),
        "defaultsChanged": json_form(one.defaults_changed),
        "notes": list(one.notes),
    }


def _side_json(side: Side) -> dict[str, object]:
    judgement = side.judgement
    launch = judgement.launch
    return {
        "version": side.version,
        "contract": side.contract.name,
        "breaks": side.breaks,
        "argv": list(launch.argv) if launch else None,
        "env": dict(launch.env) if launch else None,
        "refusals": json_form(side.refusals),
        "deprecated": list(side.deprecated),
        "rules": json_form(judgement.verdicts),
        "memory": _memory_json(judgement),
    }


def _memory_json(judgement: Judgement) -> dict[str, object] | None:
    fit = judgement.fit
    if fit is None:
        return None
    kv_cache = {"kvCacheTokens": fit.kv_cache_tokens, "kvCacheGib": round(fit.kv_room_gib, 3)}
    return {"fits": fit.fits, **kv_cache, **judged_lengths(fit)}
