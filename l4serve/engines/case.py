"""A workload as an engine release meets it: what the command line is made from and what the rules judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

from packaging.version import Version

from l4serve.config.container_env import EnvSource, SecretKey
from l4serve.config.workload import Engine, Workload
from l4serve.engines.contract import Contract
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.traits import GpuTraits, ModelTraits


@dataclass(frozen=True, kw_only=True)
class Case:
    """One workload under one contract on one kind of card."""

    engine: Engine
    contract: Contract
    model: ModelTraits
    gpu: GpuTraits
    layout: GpuLayout
    port: int
    """Port that the server is to listen on."""
    revision: str | None = None
    extra_args: tuple[str, ...] = ()
    extra_env: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, EnvSource] = field(default_factory=dict)
    """Variables from Secrets and ConfigMaps."""
    api_key: SecretKey | None = None
    allow: frozenset[str] = frozenset()
    """Ids of the rules that the workload overrides."""

    @cached_property
    def version(self) -> Version:
        """The release whose behaviour counts: the one asked for, or the contract that stands in for it."""
        requested = self.engine.version.removeprefix("v")
        stands_in = self.engine.contract is not None or self.contract.version.startswith(requested + ".")
        return release(self.contract.version if stands_in else requested)


@cache
def release(text: str) -> Version:
    """A release by its number. Raises InvalidVersion for what is none."""
    return Version(text)


def case_of(workload: Workload, *, contract: Contract, model: ModelTraits, gpu: GpuTraits, layout: GpuLayout) -> Case:
    """The case of a configured workload."""
    return Case(
        engine=workload.engine,
        contract=contract,
        model=model,
        gpu=gpu,
        layout=layout,
        port=workload.service.port,
        revision=workload.model.revision,
        extra_args=workload.extra_args,
        extra_env=workload.extra_env,
        env=workload.env,
        api_key=workload.api_key,
        allow=frozenset(allowed.rule for allowed in workload.allow),
    )
