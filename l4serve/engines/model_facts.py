"""What rules ask of a model, and of what a release has for it."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from packaging.version import Version
from pydantic.alias_generators import to_camel

from l4serve.config.data_file import load_data
from l4serve.config.words.model_ids import file_type
from l4serve.engines.case import release
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.made_classes import pools_by_another
from l4serve.engines.releases.profile import engine_profile
from l4serve.engines.traits import ModelTraits

_TRAITS = ("lora", "pp", "packed", "experts", "transcription", "eagle3", "v0-only", "state")
_NAMED = {"-bnb-4bit": "bitsandbytes", "-gguf": "gguf", "-nvfp4": "nvfp4", "w4a8": "w4a8"}
"""Parts of ids by which publishers say how a checkpoint is quantised."""
_EXPERTS_NAMED = re.compile(r"-a\d+(\.\d+)?b(-|$)")
"""Part of ids by which publishers say how many parameters of a mixture of experts a token wakes, as in 30B-A3B."""


def model_facts(model: ModelTraits) -> Mapping[str, Any]:
    """The model by itself."""
    return {
        "model.id": model.id,
        "model.architecture": model.architecture,
        "model.headDim": model.head_dim,
        "model.heads": model.num_attention_heads,
        "model.headsFillWidth": _fills_width(model),
        "model.kvHeads": model.num_key_value_heads,
        "model.stateHeads": model.state_heads,
        "model.stateGroups": model.state_groups,
        "model.vocabulary": model.vocab_size,
        "model.windowed": model.windowed or None,
        "model.cacheGroups": model.cache_groups,
        "model.purpose": model.purpose,
        "model.context": model.max_position_embeddings,
        "model.dtype": model.dtype,
        "model.quantization": model.quantization_method,
        "model.quantizationBits": model.quantization_bits,
        "model.quantizationFloats": model.quantization_floats,
        "model.quantizationGroup": model.quantization_group,
        "model.quantizationSymmetric": model.quantization_symmetric,
        "model.quantizationActivationBits": model.quantization_activation_bits,
        "model.quantizationFamily": quantization_family(model.quantization_method),
        "model.quantized": model.quantization_method is not None if model.described else None,
        "model.named": next((name for word, name in _NAMED.items() if word in model.id.lower()), None),
        "model.fileType": file_type(model.id),
    }


def class_facts(kind: str, contract: Contract, model: ModelTraits) -> Mapping[str, Any]:
    """What the release's class of the model can do; None where it has none of its own, or it cannot be told."""
    by_class = engine_profile(kind).architecture_names == "classes"
    served = contract.served(model.architecture) if by_class else None
    able = {trait: trait in served.traits if served else None for trait in _TRAITS}
    if served and "experts?" in served.traits:
        able["experts"] = None
    gone = contract.dropped.get(model.architecture or "")
    return {
        **{f"model.{to_camel(trait.replace('-', '_'))}": value for trait, value in able.items()},
        "model.kind": served.kind if served else None,
        "model.moe": _mixes_experts(model),
        "model.lastRelease": gone if gone and "://" not in gone else None,
        "model.plugin": gone if gone and "://" in gone else None,
        "model.known": _known(kind, contract, model.architecture),
    }


def _mixes_experts(model: ModelTraits) -> bool | None:
    """Whether the model is a mixture of experts; of an undescribed one only a name that says so is known."""
    if model.described:
        return model.expert_intermediate_size is not None
    return True if _EXPERTS_NAMED.search(model.id.lower()) else None


@cache
def model_names() -> Mapping[str, Any]:
    """Names of methods and of models that behave alike."""
    names: Mapping[str, Any] = load_data(__file__, "model_names.yaml")
    return names


@cache
def quantization_family(method: str | None) -> str | None:
    """The family of a method of quantisation, since several names read the same checkpoint."""
    return next((name for name, members in model_names()["quantizationFamilies"].items() if method in members), None)


def _fills_width(model: ModelTraits) -> bool | None:
    """Whether a head is what the width divided by the heads gives; None where nobody says."""
    if not (model.hidden_size and model.num_attention_heads and model.head_dim):
        return None
    return model.hidden_size // model.num_attention_heads == model.head_dim


def _known(kind: str, contract: Contract, architecture: str | None) -> str | None:
    """How the release serves the architecture: `own`, `fallback` (by Transformers), perhaps so (`unsure`) or `none`."""
    if architecture is None:
        return None
    if engine_profile(kind).architecture_names == "classes":
        return "own" if contract.serves(architecture) or pools_by_another(architecture, contract) else "none"
    stem = re.split(r"For[A-Z]|LMHead", architecture)[0].lower().replace("_", "")
    if stem in {known.replace("_", "") for known in contract.architectures}:
        return "own"
    return _by_transformers(stem, release(contract.version))


@cache
def _by_transformers(stem: str, served_by: Version) -> str:
    """Whether a TGI release falls back on Transformers for a model: unsure between two releases that differ in it."""
    listed = {release(text): stems for text, stems in model_names()["tgiFallback"].items()}
    before = max((known for known in listed if known <= served_by), default=None)
    after = min((known for known in listed if known >= served_by), default=None)
    sure = [stem in listed[known] for known in (before, after) if known is not None]
    if len(set(sure)) > 1:
        return "unsure"
    return "fallback" if sure[0] else "none"
