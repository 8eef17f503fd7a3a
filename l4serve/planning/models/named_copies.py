"""Hub ids under which a model lies a second time: its owner's other name, and owners who copy checkpoints unchanged."""

from collections.abc import Mapping

_SAME_OWNER = (
    ("neuralmagic", "redhatai"),
    ("thudm", "zai-org"),
    ("cohereforai", "coherelabs"),
)
"""Organisations that were renamed, whose old ids the Hub still answers."""
_COPYING = ("unsloth", "redhatai", "nousresearch")
"""Owners whose ids without a format are copies; what they tuned themselves bears a name of its own."""
AUTHORS = (
    "meta-llama",
    "google",
    "mistralai",
    "qwen",
    "deepseek-ai",
    "microsoft",
    "openai",
    "ibm-granite",
    "zai-org",
)
"""Owners whose models others copy and quantise."""


def names_of_the_same(model_id: str) -> Mapping[str, bool]:
    """Ids in lower case that are the same model as this one, each with whether its licence gates this one too."""
    owner, _, name = model_id.strip().lower().rpartition("/")
    other = {a: b for pair in _SAME_OWNER for a, b in (pair, pair[::-1])}.get(owner)
    renamed = {f"{other}/{name}": True} if other else {}
    return {**renamed, **({f"{by}/{name}": False for by in AUTHORS} if owner in _COPYING else {})}
