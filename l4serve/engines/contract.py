"""What one release of an engine accepts and shows, read from the data files under `contracts/` and `data/`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic.alias_generators import to_snake

from l4serve.config.data_file import load_data

_HERE = Path(__file__).parent


class ContractError(ValueError):
    """No contract covers the engine version that was asked for."""


@dataclass(frozen=True)
class Flag:
    """One option of the engine's server."""

    names: tuple[str, ...]
    """All option strings, the one to write first."""
    type: str
    """str, int, float, json, bool (has a negation), flag (has none), size (1K, 2M), size_or_auto or lower."""
    choices: tuple[str, ...] | None = None
    """Values that the engine's parser accepts; None when it takes any of the type."""
    values: tuple[str, ...] | None = None
    """Values that the release names without its parser enforcing them; plugins may add others."""
    default: Any = None
    """The parser's default; None when it has none or computes it."""
    negation: str | None = None
    """The option string that says no, the one to write."""
    other_negations: tuple[str, ...] = ()
    """Other option strings that say no."""
    nargs: int | str | None = None
    """argparse's count: None is one value, '+' one or more, '?' at most one."""
    optional: bool = False
    """Whether the text None or an empty value means unset."""
    repeatable: bool = False
    """Whether the option may come more than once."""
    env: str | None = None
    """Environment variable that sets the same."""
    deprecated: str | None = None
    """What the release announces about its removal."""

    @property
    def name(self) -> str:
        """The option string to write."""
        return self.names[0]

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every option string that means the flag, those that say no too."""
        return (*self.names, *((self.negation,) if self.negation else ()), *self.other_negations)

    @property
    def takes_value(self) -> bool:
        """Whether a value follows the option."""
        return self.type not in ("bool", "flag")


@dataclass(frozen=True)
class Shutdown:
    """How the engine ends on a signal."""

    signal: str
    drains: bool
    """Whether it can finish requests in flight."""
    drain_flag: str | None
    """The flag that sets how long, in seconds."""
    grace_seconds: int
    """Recommended termination grace period of the pod, in seconds."""
    note: str
    source: str


@dataclass(frozen=True)
class BatchLimits:
    """Batch limits that the server takes by default on cards of at least that memory, in GiB."""

    min_memory_gib: int
    except_devices: tuple[str, ...]
    """Parts of device names that are left out, in lower case."""
    max_num_batched_tokens: int
    max_num_seqs: int


@dataclass(frozen=True)
class Contract:
    """One engine version: options, environment, metrics, paths, shutdown, image."""

    engine: str
    version: str
    flags: Mapping[str, Flag]
    """By option string to write."""
    env: tuple[str, ...]
    """Environment variables that the release reads."""
    metrics: Mapping[str, str]
    """Every Prometheus name to its type; counters of vLLM with their `_total`."""
    always_metrics: frozenset[str]
    """Those shown without a feature or hidden-metrics flag."""
    architectures: frozenset[str]
    """Models that the release implements itself: architectures for vLLM, model types for TGI."""
    paths: tuple[str, ...]
    """Every HTTP path of the server."""
    api_paths: tuple[str, ...]
    """The paths that clients of this project use."""
    health_path: str
    metrics_path: str
    shutdown: Shutdown
    batch_limits: tuple[BatchLimits, ...]
    """Largest cards first; empty when the engine sizes batches by itself."""
    image: str
    """Default image of the release that the contract was asked for."""
    command: tuple[str, ...] | None
    """The image's entry point; None leaves it to the image."""
    model_flag: str
    port: int
    """Port the server listens on when nothing is said."""
    port_flag: str | None
    port_env: str | None
    token_env: str
    """Environment variable that carries the Hugging Face token."""
    autoscaling_metrics: Mapping[str, str]
    """Role (queue, running, cache) to the metric that this release shows for it."""
    default_context: int | None
    """Tokens that the engine caps the context at when no limit is set; None where it does not."""
    sources: Mapping[str, str]
    """Where each part was read."""

    @property
    def name(self) -> str:
        """Such as vllm-0.26.0."""
        return f"{self.engine}-{self.version}"

    def flag(self, option: str) -> Flag | None:
        """The flag that an option string means, aliases and negations included."""
        return self._options.get(option)

    @cached_property
    def _options(self) -> Mapping[str, Flag]:
        options: dict[str, Flag] = {}
        for flag in self.flags.values():
            for name in flag.spellings:
                options.setdefault(name, flag)
        return options

    def batch_limits_for(self, memory_gib: float, device: str) -> BatchLimits | None:
        """Default limits on a card by its memory and name."""
        for limits in self.batch_limits:
            excluded = any(part in device.lower() for part in limits.except_devices)
            if memory_gib >= limits.min_memory_gib and not excluded:
                return limits
        return None


@dataclass(frozen=True)
class ResolvedContract:
    """The contract in force for a requested version, and what to say about it."""

    contract: Contract
    requested_version: str
    note: str | None = None


@cache
def contract_versions(kind: str) -> tuple[str, ...]:
    """Versions with a contract of their own, oldest first."""
    stems = (path.stem.removeprefix(f"{kind}-") for path in (_HERE / "contracts").glob(f"{kind}-*.json"))
    return tuple(sorted(stems, key=Version))


def resolve_contract(kind: str, version: str, override: str | None = None) -> ResolvedContract:
    """The contract of that version, else of the next older known one; an override names one for unknown versions.

    A version of fewer parts than a known one (2.3) means the newest known release of that series. The image, the
    token's variable and the default context are the release's own, not those of the older one.
    Raises ContractError for a version outside the known range without an override, and for an unknown override.
    """
    requested = version.removeprefix("v")
    wanted = _parse(kind, requested)
    known = contract_versions(kind)
    if override is not None:
        return _overridden(kind, requested, override.removeprefix("v"), known)
    series = [v for v in known if v == requested or v.startswith(requested + ".")]
    if series:
        return ResolvedContract(load_contract(kind, series[-1]), requested)
    older = [v for v in known if Version(v) < wanted]
    if not older or Version(known[-1]) < wanted:
        raise ContractError(
            f"{kind} {requested} lies outside the known versions {known[0]} to {known[-1]}; "
            f"choose one of {', '.join(known)}, or name the contract to apply as engine.contract"
        )
    note = f"no contract for {kind} {requested}; the older {older[-1]} is used"
    return ResolvedContract(_as_release(load_contract(kind, older[-1]), requested), requested, note)


def _parse(kind: str, version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        raise ContractError(f"{version!r} is no version of {kind}; write it as 0.26.0") from None


def _overridden(kind: str, requested: str, override: str, known: tuple[str, ...]) -> ResolvedContract:
    if override not in known:
        raise ContractError(f"there is no contract {override!r} for {kind}; choose one of {', '.join(known)}")
    note = None if override == requested else f"{kind} {requested} is judged by the contract of {override}, as asked"
    contract = load_contract(kind, override)
    return ResolvedContract(replace(contract, image=_as_release(contract, requested).image), requested, note)


def _as_release(contract: Contract, version: str) -> Contract:
    """The contract with what the profiles say of another release of the engine, which has no contract of its own."""
    oldest = contract_versions(contract.engine)[0]
    profile = _profile(contract.engine, max(version, oldest, key=Version))
    return replace(
        contract,
        image=profile["image"].format(version=version),
        token_env=profile["tokenEnv"],
        default_context=profile.get("defaultContext"),
    )


@cache
def load_contract(kind: str, version: str) -> Contract:
    """The contract of a version that has a file."""
    raw = json.loads((_HERE / "contracts" / f"{kind}-{version}.json").read_text(encoding="utf-8"))
    profile = _profile(kind, version)
    metrics = raw["metrics"]
    always = frozenset(name for name, metric in metrics.items() if metric["when"] == "always")
    return Contract(
        engine=kind,
        version=version,
        flags={name: _flag(name, entry) for name, entry in raw["flags"].items()},
        env=tuple(raw["env"]),
        metrics={name: metric["type"] for name, metric in metrics.items()},
        always_metrics=always,
        architectures=frozenset(raw["architectures"]),
        paths=tuple(raw["paths"]),
        api_paths=tuple(profile["apiPaths"]),
        health_path=profile["healthPath"],
        metrics_path=profile["metricsPath"],
        shutdown=Shutdown(**{to_snake(key): value for key, value in profile["shutdown"].items()}),
        batch_limits=tuple(map(_batch_limits, raw["batchDefaults"])),
        image=profile["image"].format(version=version),
        command=tuple(raw["command"]) if raw["command"] else None,
        model_flag=profile["modelFlag"],
        port=profile["port"]["default"],
        port_flag=profile["port"].get("flag"),
        port_env=profile["port"].get("env"),
        token_env=profile["tokenEnv"],
        autoscaling_metrics={
            role: next(name for name in names if name in always) for role, names in profile["autoscaling"].items()
        },
        default_context=profile.get("defaultContext"),
        sources={"flags": str(raw["source"]), "image": profile["imageSource"], "token": profile["tokenSource"]},
    )


def _profile(kind: str, version: str) -> dict[str, Any]:
    entries = load_data(__file__, "profiles.yaml")[kind]
    merged: dict[str, Any] = {}
    for entry in entries:
        if SpecifierSet(entry["versions"]).contains(version, prereleases=True):
            merged.update(entry)
    return merged


def _flag(name: str, entry: dict[str, Any]) -> Flag:
    choices, values = entry.get("choices"), entry.get("values")
    return Flag(
        names=(name, *entry.get("aliases", ())),
        type=entry["type"],
        choices=tuple(map(str, choices)) if choices else None,
        values=tuple(map(str, values)) if values else None,
        default=entry.get("default"),
        negation=entry.get("negation"),
        other_negations=tuple(entry.get("otherNegations", ())),
        nargs=entry.get("nargs"),
        optional=entry.get("optional", False),
        repeatable=entry.get("repeatable", False),
        env=entry.get("env"),
        deprecated=entry.get("deprecated"),
    )


def _batch_limits(entry: dict[str, Any]) -> BatchLimits:
    return BatchLimits(
        entry["minMemoryGib"], tuple(entry["exceptDevices"]), entry["maxNumBatchedTokens"], entry["maxNumSeqs"]
    )
