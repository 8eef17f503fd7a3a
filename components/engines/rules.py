"""Combinations of settings that an engine version refuses, crashes on, ignores or serves badly, as data."""

from dataclasses import dataclass
from typing import Literal

from components.config.tgi import TgiEngine
from components.config.vllm import VllmEngine
from components.engines.contract import Contract

Severity = Literal["error", "warning", "advice"]


@dataclass(frozen=True)
class ModelTraits:
    """What rules look at in a model; None where nobody described it."""

    id: str
    architecture: str | None = None
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    vocab_size: int | None = None
    max_position_embeddings: int | None = None
    dtype: str | None = None
    quantization_method: str | None = None


@dataclass(frozen=True)
class GpuTraits:
    """What rules look at in a card; the compute capability (8, 9) on an L4."""

    name: str
    compute_capability: tuple[int, int]


@dataclass(frozen=True)
class Verdict:
    """What a rule says about a workload."""

    rule_id: str
    severity: Severity
    field: str
    """Config path inside the workload, such as engine.kvCacheDtype."""
    reason: str
    remedy: str
    source: str


def judge(
    engine: VllmEngine | TgiEngine,
    *,
    contract: Contract,
    model: ModelTraits,
    gpu: GpuTraits,
    gpus: int,
    tensor_parallel_size: int,
    pipeline_parallel_size: int,
    allow: frozenset[str],
) -> tuple[Verdict, ...]:
    """Every rule that holds for the workload, errors first; a rule in `allow` comes as a warning."""
    return ()
