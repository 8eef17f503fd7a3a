"""The outcome of a verification, as a table and as JSON."""

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from l4serve.config.frozen import frozen
from l4serve.verification.checks import CheckResult
from l4serve.verification.latency import Latency

_MARKS = {"pass": ("ok", "green"), "fail": ("FAIL", "red"), "skip": ("skip", "yellow")}
WIDTH = 80


@frozen()
class Report:
    """What the checks of one server found."""

    subject: str
    """What was checked: a workload's name or a URL."""
    checks: tuple[CheckResult, ...]
    expected: Latency | None = None
    """What the plan's performance model expects of such a stream; None where nobody judged it."""

    @property
    def ok(self) -> bool:
        """No check failed."""
        return not self.broken

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the failed checks."""
        return tuple(check.name for check in self.checks if check.status == "fail")

    @property
    def latency(self) -> Latency | None:
        """Timing of the first stream that held."""
        return next((check.latency for check in self.checks if check.latency), None)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a machine."""
        return {
            "subject": self.subject,
            "ok": self.ok,
            "checks": [_check(check) for check in self.checks],
            "latency": _latency(self.latency),
            "estimate": _latency(self.expected),
        }

    def table(self) -> Table:
        """The checks, at most 80 columns wide."""
        table = Table(title=self.subject, title_justify="left", width=WIDTH)
        table.add_column("check", no_wrap=True)
        table.add_column("", no_wrap=True)
        table.add_column("detail", overflow="fold", ratio=1)
        table.add_column("seconds", justify="right", no_wrap=True)
        for check in self.checks:
            table.add_row(check.name, Text(*_MARKS[check.status]), check.detail, f"{check.seconds:.2f}")
        return table

    def verdict(self) -> str:
        """One line: that all holds, or what broke."""
        if self.ok:
            beside = "" if self.expected is None or self.latency is None else self._beside()
            return f"{self.subject}: every check holds{beside}"
        return f"{self.subject}: broken: {', '.join(self.broken)}"

    def _beside(self) -> str:
        return f"; a stream had {self.latency}, estimated {self.expected}"


def combined_json(stack: str, reports: Iterable[Report]) -> dict[str, Any]:
    """The reports of a stack's workloads, by workload."""
    items = tuple(reports)
    return {
        "stack": stack,
        "ok": all(report.ok for report in items),
        "workloads": {report.subject: report.to_json() for report in items},
    }


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "name": check.name,
        "ok": check.status != "fail",
        "status": check.status,
        "detail": check.detail,
        "seconds": round(check.seconds, 4),
    }


def _latency(latency: Latency | None) -> dict[str, Any] | None:
    if latency is None:
        return None
    return {
        "ttftSeconds": latency.ttft_seconds,
        "interTokenSeconds": latency.inter_token_seconds,
        "longestGapSeconds": latency.longest_gap_seconds,
        "outputTokens": latency.output_tokens,
    }
