"""How a release drafts tokens, from its speculative config."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.engines.releases.contract import Contract

_BY_NAME = ("eagle3", "eagle", "medusa", "dflash", "mtp")
_EAGLE = ("eagle", "eagle3")
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


def target_facts(
    speculative: Mapping[str, Any], architecture: str | None, version: Version, contract: Contract
) -> Mapping[str, Any]:
    """Whether a release drafts so for a model; None where there are no such drafts, or nobody knows."""
    how, takes = drafting_method(speculative), None
    if how == "eagle3" and architecture is not None and (families := _eagle3_families(version)):
        takes = any(family in architecture.lower().replace("_", "") for family in families)
    table = load_data(__file__, "speculative_targets.yaml")["withoutMtp"]
    own = not speculative.get("model")
    heads = architecture not in table["architectures"] if own and how in table["methods"] and architecture else None
    return {
        "speculative.eagle3Target": takes,
        "speculative.mtpHead": heads,
        "speculative.stages": _stages(how, architecture, contract) if own or how in _EAGLE else None,
    }


def _stages(how: str | None, architecture: str | None, contract: Contract) -> bool | None:
    """Whether the class that drafts can be one of several stages; None where nobody knows it.

    A head of EAGLE takes no tensors of a stage before it (`forward` of llama_eagle.py and llama_eagle3.py).
    """
    if how in _EAGLE:
        return False
    table = load_data(__file__, "speculative_targets.yaml")
    if how not in table["withoutMtp"]["methods"]:
        return None
    served = contract.served(table["ownDrafts"].get(architecture))
    return "pp" in served.traits if served else None


@cache
def _eagle3_families(version: Version) -> tuple[str, ...]:
    """Parts of the names of models that EAGLE-3 heads are taken for; empty where the class decides."""
    rows = load_data(__file__, "speculative_targets.yaml")["eagle3"]
    return next((tuple(row["families"]) for row in rows if version in SpecifierSet(row["versions"])), ())
