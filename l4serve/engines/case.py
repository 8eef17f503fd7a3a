"""A workload as an engine release meets it: what the command line is made from and what the rules judge."""

from collections.abc import Mapping
from dataclasses import field
from functools import cache, cached_property

from packaging.version import Version

from l4serve.config.frozen import frozen
from l4serve.config.keys.api_key import ApiKey
from l4serve.config.keys.container_env import EnvSource
from l4serve.config.keys.workload import Engine, Workload
from l4serve.config.refusals.problems import Problem
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.model_location import (
    located_engine,
    location_env,
    location_problems,
    model_argument,
    mounted_folders,
)
from l4serve.engines.releases.contract import Contract
from l4serve.engines.traits import GpuTraits, ModelTraits


@frozen(kw_only=True)
class Case:
    """One workload under one contract on one kind of card."""

    engine: Engine
    contract: Contract
    model: ModelTraits
    gpu: GpuTraits
    layout: GpuLayout
    port: int
    """Port that the server is to listen on."""
    draft_vocab_size: int | None = None
    """Tokens that the speculative draft model knows; None where there is none, or nobody described it."""
    kept_cache_dtype: str | None = None
    """Type of the KV cache as flag and checkpoint leave it; None is the flag's."""
    model_argument: str | None = None
    """What the engine loads where that is not the model's id: a folder that a volume gives, or an address."""
    mounted: tuple[str, ...] = ()
    """Folders of the container that volumes give."""
    location_env: Mapping[str, str] = field(default_factory=dict)
    """Variables that the place of the weights sets."""
    location_problems: tuple[Problem, ...] = ()
    """What the release cannot do of the asked place."""
    revision: str | None = None
    extra_args: tuple[str, ...] = ()
    extra_env: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, EnvSource] = field(default_factory=dict)
    """Variables from Secrets and ConfigMaps."""
    api_key: ApiKey | None = None
    allow: frozenset[str] = frozenset()
    """Ids of the rules that the workload overrides."""

    @cached_property
    def version(self) -> Version:
        """The release whose behaviour counts: the one asked for, or the contract that stands in for it."""
        return _release_of(self.engine, self.contract)


def _release_of(engine: Engine, contract: Contract) -> Version:
    requested = engine.version.removeprefix("v")
    stands_in = engine.contract is not None or contract.version.startswith(requested + ".")
    return release(contract.version if stands_in else requested)


@cache
def release(text: str) -> Version:
    """A release by its number. Raises InvalidVersion for what is none."""
    return Version(text)


def case_of(
    workload: Workload,
    *,
    contract: Contract,
    model: ModelTraits,
    gpu: GpuTraits,
    layout: GpuLayout,
    draft_vocab_size: int | None = None,
    kept_cache_dtype: str | None = None,
    largest_tensor_bytes: int = 0,
) -> Case:
    """The case of a configured workload; the model's largest tensor bounds the buffer of an engine that streams it."""
    return Case(
        engine=located_engine(workload),
        model_argument=model_argument(workload),
        mounted=mounted_folders(workload),
        location_env=location_env(workload, largest_tensor_bytes),
        location_problems=tuple(location_problems(workload, _release_of(workload.engine, contract), contract.env)),
        contract=contract,
        model=model,
        draft_vocab_size=draft_vocab_size,
        kept_cache_dtype=kept_cache_dtype,
        gpu=gpu,
        layout=layout,
        port=workload.service.port,
        revision=workload.model.revision if model_argument(workload) == workload.model.id else None,
        extra_args=workload.extra_args,
        extra_env=workload.extra_env,
        env=workload.env,
        api_key=workload.api_key,
        allow=frozenset(allowed.rule for allowed in workload.allow),
    )
