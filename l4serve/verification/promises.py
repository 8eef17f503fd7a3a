"""From a contract or a plan to what its server has to keep."""

from dataclasses import replace
from typing import TYPE_CHECKING

from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.profile import engine_profile
from l4serve.verification.target import Target

if TYPE_CHECKING:
    from l4serve.planning.workload.workload_plan import WorkloadPlan


def planned_target(workload: "WorkloadPlan", *, timeout: float, api_key: str | None) -> Target:
    """What a workload's plan promises of its server; the base URL is still to be filled in."""
    target = contract_target(
        workload.engine.contract, workload.engine.version, base_url="", timeout=timeout, api_key=api_key
    )
    return replace(
        target,
        served_names=workload.model.served_names,
        purpose=workload.model.purpose,
        max_model_len=_promised_length(workload),
        guarded=workload.engine.api_key,
    )


def contract_target(contract: Contract, version: str, *, base_url: str, timeout: float, api_key: str | None) -> Target:
    """What a contract promises of any server of that version."""
    always = {name: contract.metrics[name] for name in sorted(contract.always_metrics)}
    feature = {name: shown for name, shown in contract.metrics.items() if name not in always}
    return Target(
        base_url=base_url,
        kind=contract.engine,
        version=version.removeprefix("v"),
        metrics=always,
        feature_metrics=feature,
        health_path=contract.health_path,
        metrics_path=contract.metrics_path,
        timeout=timeout,
        api_key=api_key,
    )


def _promised_length(workload: "WorkloadPlan") -> int | None:
    # An engine that measures its length at its start promises one only where it is told one.
    argv = workload.engine.argv
    told = engine_profile(workload.engine.kind).length_is_fixed and "--max-model-len=auto" not in argv
    told = told or any(arg.startswith("--max-total-tokens") for arg in argv)
    return workload.model.max_model_len if told else None
