"""The report of a load test beside the estimate: a table of both, and a drawing."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import isfinite
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.config.reading.files import FileRefusedError, read_json
from l4serve.planning.performance.bounded_figures import Figures
from l4serve.planning.values.figures import shown
from l4serve.verification.bench_job import MARK

FIELDS = {
    "ttft_ms": "mean_ttft_ms",
    "itl_ms": "mean_tpot_ms",
    "end_to_end_ms": "mean_e2el_ms",
    "output_tokens_per_second": "output_throughput",
    "requests_per_second": "request_throughput",
}
"""A figure of an estimate, and what `vllm bench serve` calls it: the time of a token after the first is TPOT there."""
TITLES = {
    "ttft_ms": "first token, ms",
    "itl_ms": "each token after, ms",
    "end_to_end_ms": "whole answer, ms",
    "output_tokens_per_second": "output, tokens/s",
    "requests_per_second": "requests a second",
}
OF_A_RATE = ("output_tokens_per_second", "requests_per_second")
_WANTED = "give the JSON that vllm bench serve writes, or the log of the Job"
MOST_FIGURE = 1e12
"""Above every figure that a load test can have."""
WIDTH, BAR, GAP = 560, 12, 46


class ReportError(ValueError):
    """What was read is no report of the load tool."""


@frozen(kw_only=True)
class Line:
    """One figure as measured and as estimated, with the bound of the estimate."""

    name: str
    title: str
    measured: float
    estimated: float | None
    low: float | None
    high: float | None

    @property
    def error(self) -> float | None:
        """(estimated - measured) / measured."""
        return None if self.estimated is None or not self.measured else self.estimated / self.measured - 1

    @property
    def within(self) -> bool | None:
        """Whether the measurement lies in the estimate's bound."""
        return None if self.low is None or self.high is None else self.low <= self.measured <= self.high


def read_report(text: str) -> Mapping[str, Any]:
    """The tool's JSON, from its file or from the Job's log. Raises ReportError."""
    _, found, after = text.rpartition(f"{MARK}\n")
    try:
        # A mean over nothing is NaN in some releases; that is no figure, wherever in the report it stands.
        report = read_json((after if found else text).strip().encode(), constant=lambda _: None)
    except FileRefusedError as error:
        raise ReportError(f"the report {error}; {_WANTED}") from None
    if not isinstance(report, dict) or not any(key in report for key in FIELDS.values()):
        raise ReportError(f"this JSON has no figure of vllm bench serve; {_WANTED}")
    if not report.get("completed", 1):
        raise ReportError(
            "the load tool completed no request; look at the log of the Job, and at the server by l4serve verify"
        )
    for key in FIELDS.values():
        if key in report and not _is_figure(report[key]):
            raise ReportError(f"{key} is not a number from 0 to {MOST_FIGURE:.0e}; {_WANTED}")
    if not any(report.get(key) for key in FIELDS.values()):
        raise ReportError("every figure of the report is 0, so that nothing can be compared; run the load again")
    return report


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_FIGURE


def load_of(report: Mapping[str, Any]) -> dict[str, float]:
    """What the report says of its load, by the options that ask for it; empty where it says nothing.

    `vllm bench serve` writes a rate without limit as the text "inf", and counts the tokens of all prompts and answers.
    """
    clients, rate, done = (report.get(key) for key in ("max_concurrency", "request_rate", "completed"))
    found: dict[str, float] = {}
    if isinstance(rate, int | float) and isfinite(rate) and rate > 0:
        found["--rate"] = float(rate)
    elif isinstance(clients, int) and clients > 0:
        found["--concurrency"] = clients
    for option, key in (("--input-tokens", "total_input_tokens"), ("--output-tokens", "total_output_tokens")):
        tokens = report.get(key)
        if isinstance(tokens, int) and isinstance(done, int) and tokens > 0 and done > 0:
            found[option] = max(1, round(tokens / done))
    return found


def compare(
    report: Mapping[str, Any], figures: Figures, low: Figures, high: Figures, *, rate_is_given: bool = False
) -> tuple[Line, ...]:
    """Each figure of the report beside the estimate's, which lies between `low` and `high`; what a given rate says
    itself has no bound."""
    lines = []
    for name, key in FIELDS.items():
        value = report.get(key)
        if isinstance(value, int | float) and value > 0:
            said = {"estimated": figures, "low": low, "high": high}
            parts = {part: getattr(each, name) for part, each in said.items()}
            if rate_is_given and name in OF_A_RATE:
                parts |= {"low": None, "high": None}
            lines.append(Line(name=name, title=TITLES[name], measured=float(value), **parts))
    return tuple(lines)


def plot(title: str, lines: tuple[Line, ...]) -> str:
    """An SVG: each figure's measurement and estimate as bars, the estimate's bound as a line across."""
    height = 40 + GAP * len(lines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + 180}" height="{height}" font-family="sans-serif" '
        f'font-size="12"><text x="8" y="18">{escape(title)}</text>'
    ]
    for index, line in enumerate(lines):
        top, scale = 34 + GAP * index, WIDTH / (1.1 * max(line.measured, line.high or 0, line.estimated or 0))
        parts.append(f'<text x="8" y="{top + 10}">{escape(line.title)}</text>')
        parts.append(_bar(top, line.measured * scale, "#1f5fa8", f"measured {shown(line.measured)}"))
        if line.estimated is not None:
            parts.append(_bar(top + BAR + 2, line.estimated * scale, "#c25b12", f"estimated {shown(line.estimated)}"))
        if line.low is not None and line.high is not None:
            y = top + 1.5 * BAR + 2
            parts.append(
                f'<path d="M{160 + line.low * scale:.1f} {y}H{160 + line.high * scale:.1f}" stroke="#000" fill="none"/>'
            )
    return "".join([*parts, "</svg>\n"])


def _bar(top: float, width: float, colour: str, text: str) -> str:
    return (
        f'<rect x="160" y="{top}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>'
        f'<text x="{166 + width:.1f}" y="{top + BAR - 2}" font-size="10">{escape(text)}</text>'
    )
