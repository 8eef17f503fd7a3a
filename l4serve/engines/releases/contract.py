"""What one release of an engine accepts and shows, read from the tables under `contracts/` and `data/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from packaging.specifiers import SpecifierSet
from pydantic.alias_generators import to_snake

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.engines.releases.contract_table import CONTRACTS, ContractTable, Image, ServedModel, read_table
from l4serve.engines.releases.flags import Flag, Flags


@frozen()
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


@frozen()
class BatchLimits:
    """Batch limits that the server takes by default on cards of at least that memory, in GiB."""

    min_memory_gib: int
    except_devices: tuple[str, ...]
    """Parts of device names that are left out, in lower case."""
    only_devices: tuple[str, ...]
    """Parts of device names of which one is there, in lower case; empty takes any."""
    max_num_batched_tokens: int
    max_num_seqs: int


_STAND_INS = ("draft", "backend")
"""First words of models that a release has for itself: drafts, and what serves others by Transformers."""


@dataclass(frozen=True, eq=False)
class Contract:
    """One engine version: options, environment, metrics, paths, shutdown, image. It is equal to itself alone."""

    engine: str
    version: str
    flags: Flags
    env: tuple[str, ...]
    """Environment variables that the release reads."""
    metrics: Mapping[str, str]
    """Every Prometheus name to its type; counters of vLLM with their `_total`."""
    always_metrics: frozenset[str]
    """Those shown without a feature or hidden-metrics flag."""
    models: Mapping[str, str]
    """Models that the release serves (architectures for vLLM, model types for TGI), as `served` reads them."""
    dropped: Mapping[str, str]
    """Architectures that older releases served: the last one, or the address of the plugin that serves them."""
    dotted_keys: bool
    """Whether --option.key=value sets a key of a JSON option."""
    level_option: str | None
    """The option that -O3 sets, with its key where it is one of a JSON option; None where there is no such form."""
    dotted_short: Mapping[str, str]
    """Short options that take a key after a dot, each to the option that it means."""
    abbreviations: bool
    """Whether the parser takes an unambiguous beginning of an option for the option."""
    image_facts: Image
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
    token_envs: tuple[str, ...]
    """Environment variables that carry the Hugging Face token to all that reads it, the one to show first."""
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

    @property
    def token_env(self) -> str:
        """The variable that carries the Hugging Face token, where one is to be shown."""
        return self.token_envs[0]

    def flag(self, option: str) -> Flag | None:
        """The flag that an option string means, aliases and negations included."""
        name = self.flags.named.get(option)
        return None if name is None else self.flags[name]

    def abbreviated(self, option: str) -> tuple[str, ...]:
        """Option strings that begin with this one, which is none itself; the parser takes it when there is just one."""
        if not self.abbreviations or option in self.flags.named:
            return ()
        return tuple(name for name in self.flags.named if name.startswith(option))

    @cached_property
    def architectures(self) -> frozenset[str]:
        """Models that a user may name: all that the release serves but drafts and its own stand-ins."""
        return frozenset(filter(self.serves, self.models))

    def serves(self, architecture: str) -> bool:
        """Whether the release has a class that a user's model of this architecture is served by."""
        return architecture in self.models and not self.models[architecture].startswith(_STAND_INS)

    def served(self, architecture: str | None) -> ServedModel | None:
        """What the release does with an architecture; None for one that it has no class of its own for."""
        words = self.models.get(architecture or "", "").split()
        return ServedModel(words[0], frozenset(words[1:])) if words else None

    def batch_limits_for(self, memory_gib: float, device: str) -> BatchLimits | None:
        """Default limits on a card by its memory and name."""
        for limits in self.batch_limits:
            excluded = any(part in device.lower() for part in limits.except_devices)
            named = not limits.only_devices or any(part in device.lower() for part in limits.only_devices)
            if memory_gib >= limits.min_memory_gib and named and not excluded:
                return limits
        return None


@cache
def _table(kind: str) -> ContractTable:
    return ContractTable(read_table(CONTRACTS / f"{kind}.json"))


@cache
def next_release_serving(kind: str, architecture: str, version: str) -> str | None:
    """The first release after one that has a class of the model; None where no known one has."""
    known, serving = _table(kind).releases, _table(kind).releases_serving(architecture)
    after = known.index(version) if version in known else len(known)
    return next((release for release in serving if known.index(release) > after), None)


def contract_versions(kind: str) -> tuple[str, ...]:
    """Releases with a contract, oldest first: every final one of the project since the oldest."""
    return _table(kind).releases


def releases_with(kind: str, name: str) -> tuple[str, ...]:
    """Releases that have a flag, variable or metric of that name, oldest first."""
    return _table(kind).releases_with(name)


@cache
def load_contract(kind: str, version: str) -> Contract:
    """The contract of a known release."""
    raw = _table(kind).parts(version)
    profile = profile_of(kind, version)
    metrics = raw["metrics"]
    always = frozenset(name for name, metric in metrics.items() if metric["when"] == "always")
    image = raw["image"]
    return Contract(
        engine=kind,
        version=version,
        flags=Flags(_table(kind).flags(version)),
        env=tuple(raw["env"]),
        metrics={name: metric["type"] for name, metric in metrics.items()},
        always_metrics=always,
        models=raw["models"],
        dropped=raw["dropped"],
        dotted_keys=raw["dotted"],
        level_option=profile.get("level"),
        dotted_short=profile.get("dottedShort", {}),
        abbreviations=profile["abbreviations"],
        image_facts=Image(
            image["cuda"],
            image["findsDriver"],
            frozenset(image["packages"]),
            image["user"],
            image.get("compatibility"),
            image.get("audio", False),
        ),
        paths=tuple(raw["paths"]),
        api_paths=tuple(path for path in profile["apiPaths"] if path in raw["paths"]),
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
        token_envs=tuple(profile["tokenEnvs"]),
        autoscaling_metrics={
            role: next(name for name in names if name in always) for role, names in profile["autoscaling"].items()
        },
        default_context=profile.get("defaultContext"),
        sources={"flags": str(raw["source"]), "image": profile["imageSource"], "token": profile["tokenSource"]},
    )


@cache
def profile_of(kind: str, version: str) -> Mapping[str, Any]:
    """What holds for a release beyond its flags; a version older than all profiles gets the oldest's."""
    merged: dict[str, Any] = {}
    for entry in load_data(__file__, "profiles.yaml")[kind]:
        if SpecifierSet(entry["versions"]).contains(version, prereleases=True):
            merged.update(entry)
    return merged


def _batch_limits(entry: dict[str, Any]) -> BatchLimits:
    return BatchLimits(
        entry["minMemoryGib"],
        tuple(entry["exceptDevices"]),
        tuple(entry["onlyDevices"]),
        entry["maxNumBatchedTokens"],
        entry["maxNumSeqs"],
    )
