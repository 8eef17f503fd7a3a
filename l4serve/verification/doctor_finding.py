"""What a doctor says: one line for each thing that it looked at, with the remedy where it is not as it should be."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal

from l4serve.config.frozen import frozen

Verdict = Literal["ok", "bad", "unknown"]


@frozen()
class Finding:
    """One thing that was looked at; unknown where nobody could look, which fails nothing."""

    verdict: Verdict
    subject: str
    text: str
    remedy: str = ""


def ok(subject: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding("ok", subject, text)


def bad(subject: str, text: str, remedy: str) -> Finding:
    """An update, or the pods, will fail by it."""
    return Finding("bad", subject, text, remedy)


def unknown(subject: str, text: str, remedy: str = "") -> Finding:
    """Nobody could look."""
    return Finding("unknown", subject, text, remedy)


def findings_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """The documented JSON form of all that a doctor says."""
    return {"findings": [asdict(each) for each in findings]}
