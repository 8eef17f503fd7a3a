"""Named checks and their runner: a check that raises is a check that failed, and the rest still run."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.config.secret_shapes import excerpt
from l4serve.verification.latency import Latency

Status = Literal["pass", "fail", "skip"]
_GRACE = 1.0


class CheckError(Exception):
    """The server broke what it promised; the message says what."""


class NotOfferedError(Exception):
    """The server does not offer what the check needs, and need not; the message says why."""


class UnreachableError(CheckError):
    """Nothing answers at the address, so no later check can tell anything more."""


@frozen()
class Finding:
    """What a check saw that held."""

    detail: str
    latency: Latency | None = None


@frozen()
class Check:
    """A name and the call that returns a finding or raises."""

    name: str
    run: Callable[[], Finding]
    prepare: Callable[[], object] | None = None
    """What is loaded before the check's clock starts."""


@frozen()
class CheckResult:
    """How one check ended."""

    name: str
    status: Status
    detail: str
    seconds: float
    latency: Latency | None = None


def run_checks(checks: Iterable[Check], timeout: float) -> Iterator[CheckResult]:
    """Results in order, each as it ends.

    A check that outlasts `timeout` seconds fails. After `UnreachableError` the remaining checks are skipped, since each
    would only wait out the same timeout.
    """
    unreachable = ""
    for check in checks:
        if unreachable:
            yield CheckResult(check.name, "skip", f"not run: {unreachable} failed", 0.0)
            continue
        result, lost = _run(check, timeout)
        if lost:
            unreachable = check.name
        yield result


def _run(check: Check, timeout: float) -> tuple[CheckResult, bool]:
    ended: list[Finding | Exception] = []
    if check.prepare:
        check.prepare()
    worker = threading.Thread(target=_work, args=(check, ended), name=f"check {check.name}", daemon=True)
    started = time.perf_counter()
    worker.start()
    # The clients give up after `timeout` of silence, with a better message; this catches a server that trickles.
    worker.join(timeout + _GRACE)
    seconds = time.perf_counter() - started
    outcome = ended[0] if ended else CheckError(f"no full answer within {timeout:g} s")
    if isinstance(outcome, Finding) and seconds > timeout:
        outcome = CheckError(f"took {seconds:.1f} s, over the {timeout:g} s it may take")
    return _result(check.name, outcome, seconds), isinstance(outcome, UnreachableError)


def _work(check: Check, ended: list[Finding | Exception]) -> None:
    try:
        ended.append(check.run())
    # Whatever a client library raises on a broken answer is a finding, never a traceback.
    except Exception as error:
        ended.append(error)


def _result(name: str, outcome: Finding | Exception, seconds: float) -> CheckResult:
    match outcome:
        case Finding():
            return CheckResult(name, "pass", outcome.detail, seconds, outcome.latency)
        case NotOfferedError():
            return CheckResult(name, "skip", str(outcome), seconds)
        case _:
            return CheckResult(name, "fail", describe(outcome), seconds)


def describe(error: BaseException, limit: int = 300) -> str:
    """An exception on one line of at most `limit` characters, with its cause where it has one."""
    text = str(error) if isinstance(error, CheckError) else f"{type(error).__name__}: {error}"
    if error.__cause__ is not None and str(error.__cause__) not in text:
        text += f" ({error.__cause__})"
    text = " ".join(text.split())
    return text if len(text) <= limit else excerpt(text, limit - 1, "…")


def require(holds: bool, message: str) -> None:
    """Raise `CheckError` with the message unless it holds."""
    if not holds:
        raise CheckError(message)
