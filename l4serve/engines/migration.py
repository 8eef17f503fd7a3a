"""What breaks when a workload moves to another version of its engine."""

from collections.abc import Mapping
from dataclasses import dataclass

from l4serve.config.problems import Problem
from l4serve.config.tgi import TgiEngine
from l4serve.config.vllm import VllmEngine
from l4serve.engines.argv import EngineRefusal, Launch, build_launch
from l4serve.engines.checking import read_options
from l4serve.engines.contract import Contract
from l4serve.engines.contract_diff import diff_contracts
from l4serve.engines.replacements import Removal
from l4serve.engines.rules import judge
from l4serve.engines.traits import GpuTraits, ModelTraits, Verdict


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A workload as the engine sees it, whatever the version."""

    engine: VllmEngine | TgiEngine
    model_id: str
    revision: str | None
    model: ModelTraits
    gpu: GpuTraits
    gpus: int
    tensor_parallel_size: int
    pipeline_parallel_size: int
    port: int
    extra_args: tuple[str, ...]
    extra_env: Mapping[str, str]
    allow: frozenset[str]

    def at(self, version: str) -> VllmEngine | TgiEngine:
        """The engine's settings with another version, the contract and image of its own left behind."""
        if version == self.engine.version:
            return self.engine
        return self.engine.model_copy(update={"version": version, "contract": None, "image": None})


@dataclass(frozen=True)
class Outcome:
    """One version's answer to a workload."""

    version: str
    contract: str
    launch: Launch | None
    """None when the version refuses the settings."""
    refusals: tuple[Problem, ...]
    deprecated: tuple[str, ...]
    """Options in use that the release announces the end of."""
    verdicts: tuple[Verdict, ...]

    @property
    def breaks(self) -> bool:
        """Whether the engine would not serve the workload."""
        return bool(self.refusals) or any(verdict.severity == "error" for verdict in self.verdicts)


@dataclass(frozen=True)
class DefaultChange:
    """A default that the workload relies on and that the other version sets differently."""

    flag: str
    before: object
    after: object


@dataclass(frozen=True)
class Move:
    """A workload now and after the move, side by side."""

    now: Outcome
    then: Outcome
    metrics_gone: tuple[Removal, ...]
    defaults_changed: tuple[DefaultChange, ...]

    @property
    def new_verdicts(self) -> tuple[Verdict, ...]:
        """Rules that hold only after the move."""
        known = {verdict.rule_id for verdict in self.now.verdicts}
        return tuple(verdict for verdict in self.then.verdicts if verdict.rule_id not in known)

    @property
    def settled_verdicts(self) -> tuple[Verdict, ...]:
        """Rules that hold only before the move."""
        left = {verdict.rule_id for verdict in self.then.verdicts}
        return tuple(verdict for verdict in self.now.verdicts if verdict.rule_id not in left)


def outcome(situation: Situation, version: str, contract: Contract) -> Outcome:
    """What a version makes of a workload."""
    engine = situation.at(version)
    refusals: tuple[Problem, ...] = ()
    launch: Launch | None = None
    try:
        launch = build_launch(
            engine,
            model_id=situation.model_id,
            revision=situation.revision,
            tensor_parallel_size=situation.tensor_parallel_size,
            pipeline_parallel_size=situation.pipeline_parallel_size,
            port=situation.port,
            extra_args=situation.extra_args,
            extra_env=situation.extra_env,
            contract=contract,
        )
    except EngineRefusal as refusal:
        refusals = refusal.problems
    verdicts = judge(
        engine,
        contract=contract,
        model=situation.model,
        gpu=situation.gpu,
        gpus=situation.gpus,
        tensor_parallel_size=situation.tensor_parallel_size,
        pipeline_parallel_size=situation.pipeline_parallel_size,
        allow=situation.allow,
    )
    return Outcome(version, contract.name, launch, refusals, _deprecated(launch, contract), verdicts)


def _deprecated(launch: Launch | None, contract: Contract) -> tuple[str, ...]:
    options = read_options(launch.argv, contract) if launch else ()
    return tuple(f"{o.flag.name}: {o.flag.deprecated}" for o in options if o.flag and o.flag.deprecated)


def move(situation: Situation, now: tuple[str, Contract], then: tuple[str, Contract]) -> Move:
    """A workload under its own version and another, each given with its contract."""
    before, after = outcome(situation, *now), outcome(situation, *then)
    changes = diff_contracts(now[1], then[1])
    used = {o.flag.name for o in read_options(before.launch.argv, now[1]) if o.flag} if before.launch else set()
    defaults = tuple(
        DefaultChange(change.flag, change.before, change.after)
        for change in changes.flags_changed
        if change.what == "default" and change.flag in _RELIED_ON and change.flag not in used
    )
    return Move(before, after, changes.metrics_removed, defaults)


_RELIED_ON = frozenset(
    f"--{name}"
    for name in (
        "gpu-memory-utilization",
        "max-num-seqs",
        "max-num-batched-tokens",
        "enable-prefix-caching",
        "enable-chunked-prefill",
        "kv-cache-dtype",
        "dtype",
        "load-format",
        "generation-config",
        "max-concurrent-requests",
        "waiting-served-ratio",
        "max-waiting-tokens",
        "cuda-memory-fraction",
    )
)
"""Flags whose default an operator notices when it changes."""
