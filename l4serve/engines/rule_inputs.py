"""A workload as the flat facts that rules are conditions over."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from packaging.version import Version
from pydantic.alias_generators import to_camel

from l4serve.config.keys.workload import ENGINE_MODELS, Engine
from l4serve.engines.arguments.asked_words import (
    asked_words,
    graphs_contradict,
    largest_graph,
    unknown_class,
    unknown_compile_size,
)
from l4serve.engines.asked_choices import choice_facts, step_facts
from l4serve.engines.backends import Choice, asked_backend, choose_backend
from l4serve.engines.cards import card_features, is_judged, written
from l4serve.engines.case import Case
from l4serve.engines.env_facts import env_facts
from l4serve.engines.images import image_facts, is_own, release_facts
from l4serve.engines.model_facts import class_facts, model_facts, model_names, quantization_family
from l4serve.engines.model_location import is_address
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.open_values import open_facts
from l4serve.engines.releases.profile import engine_profile
from l4serve.engines.sharding import context_facts, parallel_facts
from l4serve.engines.speculation import drafting_method, target_facts
from l4serve.engines.stretched_context import context_limit
from l4serve.engines.tgi_lengths import length_facts
from l4serve.engines.traits import GpuTraits, ModelTraits

_SAME_DTYPE = {"half": "float16", "float": "float32"}

_DRAFT_KEYS = (
    "method",
    "model",
    "num_speculative_tokens",
    "prompt_lookup_min",
    "prompt_lookup_max",
    "draft_tensor_parallel_size",
    "tensor_parallel_size",
    "use_heterogeneous_vocab",
    "disable_by_batch_size",
)
_SPECULATIVE = {key: f"speculative.{to_camel(key)}" for key in _DRAFT_KEYS}

_BLOCK = 16
"""Tokens by which the attention kernels read a block of the KV cache."""


def facts_of(case: Case) -> Mapping[str, Any]:
    """Every fact by name; None is unknown or unset."""
    dtype, engine_facts = _dtype(case), _engine_facts(case)
    facts = {
        **engine_facts,
        **_standing_facts(case.engine.kind, case.version, case.contract, case.model, case.gpu),
        **parallel_facts(
            case.model,
            gpus=case.layout.gpus,
            tensor=case.layout.tensor_parallel_size,
            pipeline=case.layout.pipeline_parallel_size,
            whole_experts=engine_facts.get("arg.enableExpertParallel") == "true",
        ),
        **context_facts(case.model, case.layout.tensor_parallel_size, engine_facts["arg.decodeContextParallelSize"]),
        **length_facts(case),
        **env_facts(case),
        **choice_facts(case),
        **step_facts(case, engine_facts),
        **_quantization_facts(case),
        **image_facts(case.engine.kind, case.engine.version, case.engine.image),
        "image.audio": case.contract.image_facts.audio if is_own(case.engine.kind, case.engine.image) else None,
        **release_facts(case.engine.kind, case.engine.version),
        **_cache_facts(case),
        "dtype.effective": dtype,
        "context": _stated_length(case.engine) or case.model.max_position_embeddings,
        "model.fromHub": case.model_argument in (None, case.model.id),
        "model.streamed": is_address(case.model_argument),
        **target_facts(engine_facts["speculativeConfig"] or {}, case.model.architecture, case.version, case.contract),
        "speculative.eagleHead": _eagle_head(engine_facts["speculative.how"], case),
        "context.limit": context_limit(case),
        "draft.vocabulary": case.draft_vocab_size,
        "model.mla": _latent(case),
    }
    facts["attention.withoutFlash"] = case.extra_env.get("USE_FLASH_ATTENTION", "").lower() == "false"
    facts["flashAttention.version"] = _flash_attention(case, engine_facts)
    asked = engine_facts["attentionBackend"] or engine_facts["attention"]
    backend = _choice(case, asked)
    facts["backend"] = backend.name
    facts["backend.fault"] = backend.fault
    facts["backend.unjudged"] = backend.unjudged
    facts["backend.asked"] = asked
    facts["backend.shown"] = backend.name or "the backend that it chooses"
    return facts


def _flash_attention(case: Case, asked: Mapping[str, Any]) -> int | None:
    """The generation of FlashAttention that a flag or a variable asks for."""
    given = asked["arg.attentionConfig.flash_attn_version"] or case.extra_env.get("VLLM_FLASH_ATTN_VERSION", "")
    return int(given) if str(given).isdecimal() else None


def _latent(case: Case) -> bool | None:
    """Whether keys and values are kept compressed; None where nobody knows, or a variable may forbid it."""
    told = case.model.described and "VLLM_MLA_DISABLE" not in case.extra_env
    return case.model.latent_attention if told else None


def _stated_length(engine: Engine) -> int | None:
    """The context that vLLM is asked for as a number; TGI has its lengths apart."""
    stated = vars(engine).get("max_model_len")
    return stated if isinstance(stated, int) else None


def backend_of(case: Case) -> Choice:
    """The attention backend that the release takes for the workload."""
    return _choice(case, _asked_backend(case))


def _choice(case: Case, asked: str | None) -> Choice:
    """The backend, where one may be asked for: decided here, and nowhere again."""
    return choose_backend(
        case.engine.kind,
        case.version,
        model=case.model,
        gpu=case.gpu,
        dtype=_dtype(case),
        kv_cache_dtype=_kept_cache(case),
        requested=asked,
    )


def _kept_cache(case: Case) -> str:
    return case.kept_cache_dtype or case.engine.kv_cache_dtype or "auto"


def _cache_facts(case: Case) -> dict[str, Any]:
    """The KV cache's type, and what keeps it in 16 bits: `auto` does not where a checkpoint asks for eight.

    Not before 0.23 do all backends take that flag, and all such checkpoints give way to it:
    https://github.com/vllm-project/vllm/blob/v0.23.0/vllm/v1/attention/ops/triton_reshape_and_cache_flash.py#L20
    """
    kept, plain = _kept_cache(case), "float16" if _dtype(case) == "float16" else "bfloat16"
    wide = f"engine.kvCacheDtype: {plain}"
    if kept == (case.engine.kv_cache_dtype or "auto"):
        wide = "engine.kvCacheDtype: auto"
    elif case.version < Version("0.23"):
        wide = f"engine.version: 0.26.0 and {wide}"
    return {"kvCache.kept": kept, "kvCache.wide": wide}


def _asked_backend(case: Case) -> str | None:
    words = asked_words(case.engine, case.extra_args, case.contract)
    named = _named_backend(vars(case.engine).get("attention_backend"), words)
    return asked_backend(case.contract, case.version, named) or vars(case.engine).get("attention")


def _named_backend(field: str | None, words: Mapping[str, Any]) -> str | None:
    """The backend that the field names, or a key of --attention-config."""
    inside = words["arg.attentionConfig.backend"]
    return field or (inside if isinstance(inside, str) else None)


@lru_cache(maxsize=4096)
def _standing_facts(
    kind: str, version: Version, contract: Contract, model: ModelTraits, gpu: GpuTraits
) -> Mapping[str, Any]:
    """What no setting changes: release, model, card, and what the one serves of the other."""
    return {
        "version": str(version),
        "contract.exact": str(version) == contract.version,
        **model_facts(model),
        **class_facts(kind, contract, model),
        **_card_facts(kind, version, gpu),
    }


def _card_facts(kind: str, version: Version, gpu: GpuTraits) -> Mapping[str, Any]:
    capability = gpu.compute_capability
    return {
        "gpu.capability": capability[0] + capability[1] / 10,
        "gpu.name": gpu.name,
        "card.capability": written(capability),
        "card.judged": is_judged(kind, version, capability),
        **{f"card.{name}": has for name, has in card_features(kind, version, capability).items()},
    }


def _engine_facts(case: Case) -> dict[str, Any]:
    """Fields of both engines, unset ones too, so that a rule may name any; what the release does not know of them."""
    names = _fieldmodel_names()
    facts: dict[str, Any] = dict(_unset())
    facts |= {names[name]: value for name, value in vars(case.engine).items() if value is not None and value != {}}
    facts |= asked_words(case.engine, case.extra_args, case.contract)
    facts["engine"] = case.engine.kind
    facts["typed.attentionBackend"] = facts["attentionBackend"]
    facts["written.attentionBackend"] = _named_backend(facts["attentionBackend"], facts)
    facts["attentionBackend"] = asked_backend(case.contract, case.version, facts["written.attentionBackend"])
    facts |= open_facts(case.contract, facts)
    lora, speculative = facts["lora"], facts["speculativeConfig"] or {}
    facts["remainder.blockSize"] = facts["blockSize"] % _BLOCK if facts["blockSize"] else None
    facts["lora"] = True if lora or facts["loraAdapters"] else None
    facts["lora.empty"] = True if lora and not lora.adapters else None
    facts["lora.atRunTime"] = case.extra_env.get("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "").lower() in ("1", "true")
    facts["lora.maxRank"] = lora.max_rank if lora else None
    facts["lora.hubAdapter"] = next((a.path for a in facts["loraAdapters"] or () if a.path[0] not in "/."), None)
    facts["lora.mixed"] = ((lora.max_loras or 1) if lora else 1) if facts["lora"] else None
    facts["graphs.contradict"] = graphs_contradict(facts)
    facts["graphs.largest"] = largest_graph(facts)
    facts["compileSizes.unknown"] = unknown_compile_size(facts)
    facts["overridden.class"] = unknown_class(facts, case.contract)
    facts["speculative"] = True if speculative else None
    facts["speculative.how"] = drafting_method(speculative)
    for key, fact in _SPECULATIVE.items():
        facts[fact] = speculative.get(key)
    return facts


@cache
def _fieldmodel_names() -> Mapping[str, str]:
    """Fields of both engines, with their names in YAML."""
    return {name: to_camel(name) for model in ENGINE_MODELS for name in model.model_fields}


@cache
def _unset() -> Mapping[str, None]:
    """Every fact of an engine's fields, unset."""
    return dict.fromkeys(_fieldmodel_names().values())


def _eagle_head(how: str | None, case: Case) -> bool | None:
    """Whether the release has a class for an EAGLE head of this model; None where there is none to load.

    A head is `Eagle` and the class that it was trained beside (transformers_utils/configs/eagle.py). Heads of models
    with towers are trained beside the text model inside, which nothing here names.
    """
    architecture = case.model.architecture
    if how != "eagle" or not (architecture or "").endswith("ForCausalLM"):
        return None
    return case.contract.served(f"Eagle{architecture}") is not None


def _quantization_facts(case: Case) -> dict[str, Any]:
    """Quantisation methods by family, since several names read the same checkpoint."""
    asked = engine_profile(case.engine.kind).setting(case.engine, "quantization")
    return {
        "quantization.asked": asked,
        "quantization.family": quantization_family(asked),
    }


def _dtype(case: Case) -> str | None:
    model, capability = case.model, case.gpu.compute_capability
    return _dtype_of(case.engine.kind, case.version, case.engine.dtype, model.architecture, model.dtype, capability)


@lru_cache(maxsize=1024)
def _dtype_of(
    kind: str,
    version: Version,
    asked: str | None,
    architecture: str | None,
    stored: str | None,
    capability: tuple[int, int],
) -> str | None:
    """Type of the activations that the engine will take; for `auto` what checkpoint, architecture and card leave.

    https://github.com/vllm-project/vllm/blob/v0.26.0/vllm/config/model.py#L2036
    """
    if asked is not None and asked != "auto":
        return _SAME_DTYPE.get(asked, asked)
    overflows = architecture in model_names()["noFloat16"].get(kind, ())
    wanted = "bfloat16" if overflows else stored
    if wanted == "bfloat16" and card_features(kind, version, capability)["bfloat16"] is False:
        return "float32" if overflows else "float16"
    return wanted if wanted in ("float16", "bfloat16") else None
