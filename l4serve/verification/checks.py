"""Named checks and their runner: a check that raises is a check that failed, and the rest still run."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.config.secrecy.secret_shapes import excerpt, without
from l4serve.verification.latency import Latency

Status = Literal["pass", "fail", "skip"]
_GRACE = 1.0
_LONGEST_DETAIL = 300


class CheckError(Exception):
    """The server broke what it promised; the message says what."""


class NotOfferedError(Exception):
    """The server does not offer what the check needs, and need not; the message says why."""


class OverlongError(CheckError):
    """An answer has no end within the bytes or the time that it may take; the message says which."""


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


def run_checks(checks: Iterable[Check], timeout: float, secrets: Collection[str] = ()) -> Iterator[CheckResult]:
    """Results in order, each as it ends, without those secrets, which a server may repeat.

    A check that outlasts `timeout` seconds fails. After `UnreachableError` the remaining checks are skipped, since each
    would only wait out the same timeout.
    """
    unreachable = ""
    for check in checks:
        if unreachable:
            yield CheckResult(check.name, "skip", f"not run: {unreachable} failed", 0.0)
            continue
        result, lost = _run(check, timeout, secrets)
        if lost:
            unreachable = check.name
        yield result


def _run(check: Check, timeout: float, secrets: Collection[str]) -> tuple[CheckResult, bool]:
    ended: list[Finding | Exception] = []
    try:
        if check.prepare:
            check.prepare()
    except Exception as error:
        return _result(check.name, error, 0.0, secrets), False
    worker = threading.Thread(target=_work, args=(check, ended), name=f"check {check.name}", daemon=True)
    started = time.perf_counter()
    worker.start()
    # The clients give up after `timeout` of silence, with a better message; this catches a server that trickles.
    worker.join(timeout + _GRACE)
    seconds = time.perf_counter() - started
    outcome = ended[0] if ended else CheckError(f"no full answer within {timeout:g} s")
    if isinstance(outcome, Finding) and seconds > timeout:
        outcome = CheckError(f"took {seconds:.1f} s, over the {timeout:g} s it may take")
    return _result(check.name, outcome, seconds, secrets), isinstance(outcome, UnreachableError)


def _work(check: Check, ended: list[Finding | Exception]) -> None:
    try:
        ended.append(check.run())
    # Whatever a client library raises on a broken answer is a finding, never a traceback.
    except Exception as error:
        ended.append(error)


def _result(name: str, outcome: Finding | Exception, seconds: float, secrets: Collection[str]) -> CheckResult:
    match outcome:
        case Finding():
            detail = _one_line(outcome.detail, _LONGEST_DETAIL, secrets)
            return CheckResult(name, "pass", detail, seconds, outcome.latency)
        case NotOfferedError():
            return CheckResult(name, "skip", _one_line(str(outcome), _LONGEST_DETAIL, secrets), seconds)
        case _:
            return CheckResult(name, "fail", describe(outcome, secrets=secrets), seconds)


def describe(error: BaseException, limit: int = _LONGEST_DETAIL, secrets: Collection[str] = ()) -> str:
    """An exception on one line of at most `limit` characters without those secrets, with its cause where it has one.

    An answer without an end is told of alone: what a client makes of it is a broken connection.
    """
    error = _overlong(error) or error
    text = str(error) if isinstance(error, CheckError) else f"{type(error).__name__}: {error}"
    if error.__cause__ is not None and str(error.__cause__) not in text:
        text += f" ({error.__cause__})"
    return _one_line(text, limit, secrets)


def _one_line(text: str, limit: int, secrets: Collection[str]) -> str:
    text = " ".join(without(text, secrets).split())
    return text if len(text) <= limit else excerpt(text, limit - 1, "…")


def _overlong(error: BaseException | None) -> OverlongError | None:
    seen: list[BaseException] = []
    # An error raised anew from itself is its own cause.
    while error is not None and error not in seen:
        if isinstance(error, OverlongError):
            return error
        seen.append(error)
        error = error.__cause__
    return None


def require(holds: bool, message: str) -> None:
    """Raise `CheckError` with the message unless it holds."""
    if not holds:
        raise CheckError(message)
