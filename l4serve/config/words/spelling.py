"""What somebody may have meant by a word that is not known."""

import difflib
import re
from collections.abc import Iterable

ALIKE = 0.75
"""Share of equal letters from which a known word is proposed."""
_SHORTEST = 3
_OTHERWISE = {
    "preemptible": "spot",
    "bf16": "bfloat16",
    "fp16": "float16",
    "f16": "float16",
    "fp32": "float32",
    "f32": "float32",
}
"""What people write for types that both engines take, and what Google Cloud called spot."""


def nearest(word: str, known: Iterable[str], *, alike: float = ALIKE) -> str | None:
    """The known word that is spelt most like a word, upper and lower case apart; None where none is alike."""
    if word.isdigit():
        # A number that is spelt like another is none the nearer to it.
        return None
    spelling = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower()[:200], spelling, 1, alike)
    return spelling[near[0]] if near else None


def shortened(word: str, known: Iterable[str]) -> str | None:
    """The one known word that a shorter one means: `min` of minReplicas, l4 of nvidia-l4, bf16 of bfloat16.

    None where it may mean several.
    """
    words = tuple(known)
    if (full := _OTHERWISE.get(word.lower())) in words:
        return full
    said = word.lower()
    longer = [name for name in words if name.lower().startswith(said) and len(word) >= _SHORTEST]
    longer = longer or [name for name in words if said in name.lower().split("-")]
    # policy and policies, entry and entries.
    longer = longer or [name for name in words if said.endswith("y") and name.lower() == f"{said[:-1]}ies"]
    return longer[0] if len(longer) == 1 else None


def one_of(word: str, known: Iterable[str]) -> str:
    """The remedy for a word that is none of those known: the nearest, else all of them."""
    words = tuple(known)
    if full := shortened(word, words):
        return f"did you mean {full}?"
    return did_you_mean(word, words) or f"give one of {', '.join(words)}"


def did_you_mean(word: str, known: Iterable[str], *, alike: float = ALIKE) -> str:
    """The question that proposes the nearest known word; empty where none is alike."""
    near = nearest(word, known, alike=alike)
    return f"did you mean {near}?" if near else ""


def by_number(words: Iterable[str]) -> list[str]:
    """Words in the order of their letters and numbers: 8 before 16, g2-standard-8 before g2-standard-12."""
    return sorted(words, key=lambda word: [(len(part), part) if part.isdigit() else (0, part) for part in _parts(word)])


def _parts(word: str) -> list[str]:
    """The letters and the numbers of a word in turn, letters first."""
    return re.split(r"([0-9]+)", word)


def article(word: str) -> str:
    """The article that a word has before it."""
    return "an" if word[:1].lower() in "aeiou" else "a"
