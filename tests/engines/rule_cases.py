"""Models and cards that rules are tried on, and a short way to ask for verdicts."""

from collections.abc import Mapping
from typing import Any

from l4serve.config.keys.tgi import TgiEngine
from l4serve.config.keys.vllm import VllmEngine
from l4serve.engines.case import Case
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.releases.resolution import resolve_contract
from l4serve.engines.rules import judge
from l4serve.engines.traits import GpuTraits, ModelTraits, Verdict

L4 = GpuTraits("NVIDIA L4", (8, 9))
A100 = GpuTraits("NVIDIA A100", (8, 0))
T4 = GpuTraits("Tesla T4", (7, 5))
H100 = GpuTraits("NVIDIA H100", (9, 0))
RTX_PRO = GpuTraits("NVIDIA RTX PRO 6000", (12, 0))
UNHEARD_OF = GpuTraits("NVIDIA X", (13, 0))
GEMMA = ModelTraits(
    id="google/gemma-7b",
    architecture="GemmaForCausalLM",
    num_attention_heads=16,
    num_key_value_heads=16,
    head_dim=256,
    vocab_size=256000,
    max_position_embeddings=8192,
    dtype="bfloat16",
)
PHI3 = ModelTraits(
    id="microsoft/Phi-3-mini-4k-instruct",
    architecture="Phi3ForCausalLM",
    num_attention_heads=32,
    num_key_value_heads=32,
    head_dim=96,
    vocab_size=32064,
    max_position_embeddings=4096,
    dtype="bfloat16",
)
QWEN = ModelTraits(
    id="Qwen/Qwen2.5-7B-Instruct",
    architecture="Qwen2ForCausalLM",
    num_attention_heads=28,
    num_key_value_heads=4,
    head_dim=128,
    vocab_size=152064,
    max_position_embeddings=32768,
    dtype="bfloat16",
)
UNDESCRIBED = ModelTraits(id="acme/model")


def like(model: ModelTraits, **changes: Any) -> ModelTraits:
    return ModelTraits(**{**model.__dict__, **changes})


def case(
    kind: str,
    version: str,
    model: ModelTraits = GEMMA,
    *,
    gpu: GpuTraits = L4,
    gpus: int | None = None,
    tp: int = 1,
    pp: int = 1,
    allow: frozenset[str] = frozenset(),
    extra_args: tuple[str, ...] = (),
    extra_env: Mapping[str, str] | None = None,
    draft_vocab_size: int | None = None,
    **settings: Any,
) -> Case:
    """A workload with these engine settings on one card, or on as many as the parallel sizes say."""
    engine = (VllmEngine if kind == "vllm" else TgiEngine).model_validate({**settings, "version": version})
    return Case(
        engine=engine,
        contract=resolve_contract(kind, version, engine.contract).contract,
        model=model,
        gpu=gpu,
        layout=GpuLayout(gpus or tp * pp, tp, pp),
        port=8000,
        allow=allow,
        extra_args=extra_args,
        extra_env=extra_env or {},
        draft_vocab_size=draft_vocab_size,
    )


def verdicts(*args: Any, **settings: Any) -> dict[str, Verdict]:
    return {verdict.rule_id: verdict for verdict in judge(case(*args, **settings))}


def errors(*args: Any, **kwargs: Any) -> set[str]:
    return {rule for rule, verdict in verdicts(*args, **kwargs).items() if verdict.severity == "error"}
