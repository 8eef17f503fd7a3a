"""Classes that a vLLM release makes of others, as Qwen3ForSequenceClassification of Qwen3ForCausalLM.

Read in `_normalize_arch` of vllm/model_executor/models/registry.py, 0.10.0 to 0.33.0, and `_SUFFIX_TO_DEFAULTS` of
vllm/config/model.py.
"""

from __future__ import annotations

import re

from packaging.version import Version

from l4serve.engines.releases.contract import Contract

_PURPOSE = re.compile(
    r"(?:For(?:CausalLM|ConditionalGeneration|TextEncoding|(?:Audio|Image|Sequence|Token|Video)Classification|RewardModeling)"
    r"|(?:Chat|LMHead|Embedding|Classification|Reward)?Model)$"
)
_TOKENS, _TOKENS_SINCE = "ForTokenClassification", Version("0.13")
"""An end that older releases make of nothing."""
_WRITES = ("ForCausalLM", "ForConditionalGeneration", "ChatModel", "LMHeadModel")
"""Ends of classes that write text, whose checkpoint need not fit a class of the same models."""
_SINCE = {"ForSequenceClassification": Version("0.9.2")}
"""0.9.2 falls back to the class of Transformers (`resolve_transformers_arch` of its model_loader/utils.py)."""
_OTHERS_SINCE = Version("0.10.1")


def is_made(architecture: str, contract: Contract) -> bool:
    """Whether the release has a class of the same models, that it may turn into one that it lacks."""
    if architecture.endswith(_TOKENS) and Version(contract.version) < _TOKENS_SINCE:
        return False
    return _PURPOSE.sub("", architecture) in {_PURPOSE.sub("", name) for name in contract.models}


def pools_by_another(architecture: str, contract: Contract) -> bool:
    """Whether a class that the release lacks, of a checkpoint that writes no text, is made of another unasked."""
    end = _PURPOSE.search(architecture)
    if end is None or end[0] in _WRITES or Version(contract.version) < _SINCE.get(end[0], _OTHERS_SINCE):
        return False
    return is_made(architecture, contract)
