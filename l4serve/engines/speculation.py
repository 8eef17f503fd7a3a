"""How a release drafts tokens, from its speculative config."""

from collections.abc import Mapping
from typing import Any

_BY_NAME = ("eagle3", "eagle", "medusa", "dflash", "mtp")
_SPECULATORS = ("accelerator", "mlp-speculator", "mlp_speculator")


def drafting_method(speculative: Mapping[str, Any]) -> str | None:
    """How drafts are made: as stated, or as vLLM derives it from the draft's name; None where there is no speculation.

    Source: SpeculativeConfig.__post_init__ of vllm/config/speculative.py; what no name tells is a draft model.
    """
    if speculative.get("method"):
        return str(speculative["method"])
    name = str(speculative.get("model") or "").lower()
    if not name:
        return None
    if name.strip("[]") == "ngram":
        return "ngram"
    if any(word in name for word in _SPECULATORS):
        return "mlp_speculator"
    return next((method for method in _BY_NAME if method in name), "draft_model")
