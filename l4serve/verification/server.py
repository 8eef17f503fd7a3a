"""All checks of one server."""

from collections.abc import Callable, Mapping

from l4serve.verification.checks import Check, CheckResult, run_checks
from l4serve.verification.report import Report
from l4serve.verification.target import Target
from l4serve.verification.tgi_api import TgiChecks
from l4serve.verification.vllm_api import VllmChecks


def verify_server(target: Target, subject: str, progress: Callable[[CheckResult], None] | None = None) -> Report:
    """Runs the engine's checks; `progress` sees each result as it comes. Raises MissingClientError, nothing else."""
    results = []
    secrets = (target.api_key,) if target.api_key else ()
    for result in run_checks(_checks(target), target.timeout, secrets):
        if progress:
            progress(result)
        results.append(result)
    return Report(subject, tuple(results))


_CHECKS: Mapping[str, type[VllmChecks] | type[TgiChecks]] = {checks.kind: checks for checks in (VllmChecks, TgiChecks)}


def require_client(kind: str) -> None:
    """Raises MissingClientError where the engine's checks need a package that is not installed."""
    _CHECKS[kind].require()


def _checks(target: Target) -> tuple[Check, ...]:
    return _CHECKS[target.kind](target).checks()
