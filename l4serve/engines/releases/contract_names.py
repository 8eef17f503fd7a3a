"""Contracts as people name them: with the engine in front, or by the release alone."""

from l4serve.engines.releases.contract import contract_versions
from l4serve.engines.releases.profile import engine_kinds
from l4serve.engines.releases.resolution import ContractError, ResolvedContract, resolve_contract


def named_contract(text: str) -> ResolvedContract:
    """The contract of vllm-0.26.0, tgi-3.3.7 or 0.26.0. Raises ContractError where no engine has such a release."""
    kind, _, version = text.partition("-")
    if kind in engine_kinds() and not version:
        raise ContractError(f"{text!r} names no release; write it as {kind}-{contract_versions(kind)[-1]}")
    wanted = [(kind, version)] if kind in engine_kinds() else [(engine, text) for engine in engine_kinds()]
    reasons = []
    for engine, release in wanted:
        try:
            return resolve_contract(engine, release)
        except ContractError as error:
            reasons.append(str(error))
    if len(reasons) == 1:
        raise ContractError(reasons[0])
    known = " or ".join(f"{engine}-{contract_versions(engine)[-1]}" for engine, _ in wanted)
    raise ContractError(f"no engine has a release {text!r}; name one of `l4serve contract list`, such as {known}")
