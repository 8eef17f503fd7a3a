"""Which contract is in force for the version that was asked for."""

from dataclasses import replace
from functools import lru_cache

from packaging.version import InvalidVersion, Version

from l4serve.config.frozen import frozen
from l4serve.engines.releases.contract import Contract, contract_versions, load_contract, profile_of


class ContractError(ValueError):
    """No contract covers the engine version that was asked for."""


@frozen()
class ResolvedContract:
    """The contract in force for a requested version, and what to say about it."""

    contract: Contract
    requested_version: str
    note: str | None = None


@lru_cache(maxsize=1024)
def resolve_contract(kind: str, version: str, override: str | None = None) -> ResolvedContract:
    """The release's own contract; for a version that is no final release, that of the nearest one before it.

    A version of fewer parts (2.3) means the newest release of that series; a candidate (0.27.0rc1) the release that it
    became. The image and what else belongs to the release are its own, also under an override.
    Raises ContractError for a version outside the known releases without an override, one newer than the newest
    included: nothing is known of it. An override names a known release.
    """
    requested = version.removeprefix("v")
    wanted = _parse(kind, requested)
    known = contract_versions(kind)
    if override is not None:
        return _overridden(kind, requested, override.removeprefix("v"), known)
    if requested in known:
        return ResolvedContract(load_contract(kind, requested), requested)
    series = [v for v in known if v.startswith(requested + ".")]
    if series:
        return ResolvedContract(load_contract(kind, series[-1]), requested)
    older = [v for v in known if Version(v) < wanted]
    nearest = wanted.base_version if wanted.base_version in known else older[-1] if older else None
    if nearest is None or Version(known[-1]) < Version(wanted.base_version):
        raise ContractError(
            f"{kind} {requested} lies outside the known versions {known[0]} to {known[-1]}; choose one of them"
        )
    note = f"{kind} {requested} is not a final release; it is judged by the contract of {nearest}"
    return ResolvedContract(_as_release(load_contract(kind, nearest), requested), requested, note)


@lru_cache(maxsize=1024)
def stand_in(kind: str, version: str) -> str | None:
    """The known release nearest to one outside the known ones; None for a version among them.

    Raises ContractError for what is no version.
    """
    known, wanted = contract_versions(kind), _parse(kind, version.removeprefix("v"))
    if wanted < Version(known[0]) and not known[0].startswith(f"{version.removeprefix('v')}."):
        return known[0]
    return known[-1] if Version(wanted.base_version) > Version(known[-1]) else None


def _parse(kind: str, version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        raise ContractError(
            f"{version!r} is not a version of {kind}; write it as {contract_versions(kind)[-1]}"
        ) from None


def _overridden(kind: str, requested: str, override: str, known: tuple[str, ...]) -> ResolvedContract:
    if override not in known:
        if series := [version for version in known if version.startswith(f"{override}.")]:
            raise ContractError(f"there is no contract {override!r} for {kind}; write it as {series[-1]}")
        raise ContractError(f"there is no contract {override!r} for {kind}; choose one of {known[0]} to {known[-1]}")
    if override == requested:
        return ResolvedContract(load_contract(kind, override), requested)
    note = f"{kind} {requested} is judged by the contract of {override}, as asked"
    return ResolvedContract(_as_release(load_contract(kind, override), requested), requested, note)


def _as_release(contract: Contract, version: str) -> Contract:
    """The contract with what belongs to the image of another release: its name, what is in it, the token's variable."""
    known = contract_versions(contract.engine)
    profile = profile_of(contract.engine, max(version, known[0], key=Version))
    own = load_contract(contract.engine, version) if version in known else contract
    return replace(
        contract,
        image=profile["image"].format(version=version),
        image_facts=own.image_facts,
        token_envs=tuple(profile["tokenEnvs"]),
        default_context=profile.get("defaultContext"),
    )
