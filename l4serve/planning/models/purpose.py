"""What a model is served for: text, or vectors, scores, classes and rewards."""

from __future__ import annotations

from typing import Literal, get_args

Purpose = Literal["generate", "embed", "score", "classify", "reward", "token"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

_OF_KIND: dict[str, Purpose] = {
    "embedding": "embed",
    "late-interaction": "embed",
    "classification": "classify",
    "token-classification": "token",
    "reward": "reward",
}
_OF_END: dict[str, Purpose] = {
    "ForSequenceClassification": "classify",
    "ForTokenClassification": "token",
    "RewardModel": "reward",
}
_OF_WORD: dict[str, Purpose] = {
    "embed": "embed",
    "embedding": "embed",
    "score": "score",
    "classify": "classify",
    "reward": "reward",
    "pooling": "embed",
}


def purpose_of_word(word: str | None) -> Purpose | None:
    """The purpose that a value of --task, --convert or --runner asks for; None where it leaves it to the model."""
    return "generate" if word == "generate" else _OF_WORD.get(word or "")


def purpose_of_class(architecture: str, kind: str | None) -> Purpose | None:
    """The purpose of a class, by the kind that a contract gives it, if any; None for one that generates.

    Where a release lists classes of all purposes with those for vectors, or those for tokens with those for texts,
    the name's end tells; so it does of a class that a release makes of another, as Qwen3ForSequenceClassification.
    """
    of_kind = _OF_KIND.get(kind or "")
    if kind not in ("embedding", "classification", None):
        return of_kind
    return next((purpose for end, purpose in _OF_END.items() if architecture.endswith(end)), of_kind)
