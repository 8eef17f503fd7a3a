"""What an engine's kernels do on a card, by compute capability: `data/cards.yaml`."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from l4serve.config.data_file import load_data

Capability = tuple[int, int]
FEATURES = ("bfloat16", "fp8Matmul", "marlin", "fp8FlashAttention")


@cache
def card_features(kind: str, version: Version, capability: Capability) -> Mapping[str, bool | None]:
    """Each of `FEATURES`: whether the release has it on a card of the compute capability; None where nobody knows."""
    merged = _merged(kind, version)
    judged = is_judged(kind, version, capability)
    return {name: _has(merged.get(name), capability) if judged else None for name in FEATURES}


def is_judged(kind: str, version: Version, capability: Capability) -> bool:
    """Whether a source says what the release does on cards of the compute capability."""
    return written(capability) in _merged(kind, version).get("capabilities", ())


def written(capability: Capability) -> str:
    """The compute capability as tables write it: 8.9."""
    return f"{capability[0]}.{capability[1]}"


def _has(rule: Mapping[str, Any] | None, capability: Capability) -> bool | None:
    if rule is None:
        return None
    if "only" in rule:
        return written(capability) in rule["only"]
    major, minor = rule["from"].split(".")
    return capability >= (int(major), int(minor))


@cache
def _merged(kind: str, version: Version) -> Mapping[str, Any]:
    merged: dict[str, Any] = {}
    for entry in load_data(__file__, "cards.yaml")[kind]:
        if version in SpecifierSet(entry["versions"], prereleases=True):
            merged |= entry
    return merged
