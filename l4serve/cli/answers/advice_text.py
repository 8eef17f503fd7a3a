"""The advisor's answer for people: in a terminal and as a page."""

from __future__ import annotations

import re
from html import escape

from rich.table import Table

from l4serve.advising.advice_json import reasons
from l4serve.advising.answer import Answer, price_days, ranked
from l4serve.advising.budget import whole_edit
from l4serve.advising.ranking import Judged, Wish, describe, figure
from l4serve.advising.sizing import Sizing
from l4serve.cli.shell.output import SafeConsole, safe_text
from l4serve.planning.values.figures import counted, shown

HEADINGS = ("configuration", "first token", "per token", "tokens/s", "USD/M", "quality")
MOST_REASONS = 8
_FIGURE = re.compile(r"\d[\d,.]*(?= (?:ms|GiB|tokens a second|USD per million)\b)")
MOST_OF_THE_FRONT = 8


def print_answer(answer: Answer, wish: Wish) -> None:
    """The winner with its edit, the front, and why the others lost, counted."""
    console = SafeConsole()
    console.print(f"goal {wish.goal}: {wish.load.told}")
    console.print(f"{answer.tried} candidates, {len(answer.front)} on the front")
    if answer.winner is None:
        console.print("none keeps the wish")
    else:
        console.print(f"winner: {describe(answer.winner.candidate)}")
        for reason in reasons(answer, wish):
            console.print(f"  - {reason}")
        console.print(_front(answer, wish))
        for said in answer.winner.speed.assumed:
            console.print(f"assumed: {said}")
        if days := price_days(answer):
            console.print(f"prices of {days}")
    for line in _refused(answer):
        console.print(line)
    for card in answer.unhoused:
        console.print(f"rejected, {card.accelerator}: {card.reason}")
    for line in _lost(answer):
        console.print(line)


def _refused(answer: Answer) -> list[str]:
    """Why better ones are no answer of a stack, each reason with the best that it turned away."""
    alike: dict[str, list[str]] = {}
    for rejected in answer.refused:
        alike.setdefault(rejected.reason, []).append(describe(rejected.candidate))
    return [
        f"better, but refused: {first}{f', and {len(others)} more' if others else ''}: {reason}"
        for reason, (first, *others) in list(alike.items())[:MOST_REASONS]
    ]


def _lost(answer: Answer) -> list[str]:
    """Why candidates lost, the most frequent reason first; of those that differ in a figure alone, the nearest."""
    alike: dict[str, list[str]] = {}
    for rejected in answer.rejected:
        alike.setdefault(_FIGURE.sub("#", rejected.reason), []).append(rejected.reason)
    most = sorted(alike.values(), key=len, reverse=True)[:MOST_REASONS]
    return [
        f"rejected, {len(reasons)}: {reasons[0]}"
        if len(set(reasons)) == 1
        else f"rejected, {len(reasons)}, the nearest: {min(reasons, key=_figure_of)}"
        for reasons in most
    ]


def _figure_of(reason: str) -> float:
    found = _FIGURE.search(reason)
    return float(found[0].replace(",", "")) if found else 0.0


def print_sizing(sizing: Sizing, wish: Wish) -> None:
    """What serves the rate, and when an autoscaler must act."""
    console = SafeConsole()
    for line in _sized(sizing, wish):
        console.print(line)


def _sized(sizing: Sizing, wish: Wish) -> tuple[str, str]:
    usd = sizing.headroom_usd_per_hour
    paid = "" if usd is None else f", for {usd:,.2f} USD an hour"
    bound = "" if sizing.max_replicas is None else f"; maxReplicas {sizing.max_replicas} keeps the budget"
    return (
        f"{wish.load.rate:g} requests a second: {counted(sizing.replicas, 'replica')} on "
        f"{counted(sizing.nodes, 'node')}, "
        f"{100 * sizing.utilisation:.0f} % of what they can; a first token comes after {sizing.ttft_ms:,.0f} ms in the "
        f"mean; {sizing.percentile:g} % wait at most {sizing.ttft_at_percentile_ms:,.0f} ms for it and "
        f"{sizing.wait_ms:,.0f} ms for a place",
        f"one more replica serves after {sizing.start_lag_seconds:,.0f} s: with "
        f"{100 * wish.traffic.growth_per_minute:g} % growth a minute scale on running, target {sizing.running_target}, "
        f"or on queue, target {sizing.queue_target}; an autoscaler with such a target would keep "
        f"{counted(sizing.headroom_replicas, 'replica')} at this rate{paid}{bound}",
    )


def _front(answer: Answer, wish: Wish) -> Table:
    table = Table(title="Front", title_justify="left")
    table.add_column(HEADINGS[0], overflow="fold")
    for heading in HEADINGS[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    first = ranked(answer, wish)[:MOST_OF_THE_FRONT]
    for judged in first:
        table.add_row(*_cells(judged))
    if len(answer.front) > len(first):
        table.caption = f"and {len(answer.front) - len(first)} more: --json or --html FILE"
    return table


def _cells(judged: Judged) -> tuple[str, ...]:
    figures = judged.figures
    return (
        describe(judged.candidate),
        _cell(figures.ttft_ms, " ms"),
        _cell(figures.itl_ms, " ms"),
        _cell(figures.output_tokens_per_second),
        _cell(judged.usd_per_million),
        judged.candidate.pod.quality,
    )


def _cell(value: float | None, unit: str = "") -> str:
    compared = figure(value)
    return "-" if compared is None else f"{shown(compared)}{unit}"


def advice_page(answer: Answer, wish: Wish, sizing: Sizing | None = None) -> str:
    """The answer, with the size for a rate, as one page that loads nothing from elsewhere."""
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(safe_text(cell))}' for cell in _cells(j))}" for j in ranked(answer, wish)
    )
    head = "".join(f"<th>{escape(heading)}" for heading in HEADINGS)
    lost = "".join(
        f"<tr><td>{escape(safe_text(describe(r.candidate)))}<td>{escape(safe_text(r.reason))}" for r in answer.rejected
    )
    lost += "".join(f"<tr><td>{escape(c.accelerator)}<td>{escape(c.reason)}" for c in answer.unhoused)
    won = "none keeps the wish"
    if answer.winner is not None:
        edit = whole_edit(answer.winner.candidate, wish)
        written = "".join(f"<li><code>{escape(f'{key}: {value}')}</code>" for key, value in edit.items())
        why = "".join(f"<li>{escape(safe_text(reason))}" for reason in reasons(answer, wish))
        assumed = "".join(f"<li>assumed: {escape(said)}" for said in answer.winner.speed.assumed)
        won = f"{escape(safe_text(describe(answer.winner.candidate)))}<ul>{written}{why}{assumed}</ul>"
    size = "".join(f"<p>{escape(line)}</p>" for line in _sized(sizing, wish)) if sizing is not None else ""
    return (
        "<!doctype html><meta charset=utf-8><title>l4serve advise</title>"
        "<style>body{font:15px sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:left}</style>"
        f"<h1>Goal: {escape(wish.goal)}</h1><p>{escape(wish.load.told)}; {answer.tried} candidates</p>"
        f"<h2>Winner</h2><p>{won}</p>{size}"
        f"<h2>Front</h2><table><tr>{head}{rows}</table><p>Prices of {escape(price_days(answer) or 'no known day')}.</p>"
        f"<h2>Rejected</h2><table><tr><th>configuration<th>reason{lost}</table>\n"
    )
