"""Which texts are ids of models as the Hub has them, or near such a one: ORG/NAME of readable words and sizes."""

import re

from l4serve.config.secrecy.random_texts import like_words, looks_random

_WORD = re.compile(r"[A-Z]+[a-z]*|[a-z]+|\d+")
_LONG_WORD = re.compile(r"[A-Za-z][a-z]{4,}")
_DIVIDER = re.compile(r"[-_./]")
_TELLING = re.compile(
    r"(?i)\d{1,4}[bm]|[ae]\d{1,3}b|\d{1,3}x\d{1,3}b|\d{1,2}e|\d{1,2}bit|(?:w\d{1,2})?a\d{1,2}"
    r"|(?:nv|mx)?fp\d{1,2}(?:a\d{1,2})?|u?int\d|q\d|gs?\d{2,3}|\d{2,3}g|awq|gptq|gguf|bnb|exl\d|hqq|autoround|dynamic|quantized|instruct|chat"
    r"|base|it|thinking|reasoning|preview|coder|distill|vl|omni|mini|small|flash"
)
"""Pieces of a model's name that say how large it is, how it is stored or what it is for."""
_ENOUGH = 3
"""Characters of such pieces from which they tell: of fewer a key drawn at random has some by chance."""


def is_model_id(text: str) -> bool:
    """Whether a text is an id such as Qwen/Qwen2.5-1.5B-Instruct, or its name alone; of keys drawn at random 2 % are.

    Every piece between dividers is a word, a number or a size such as A22B and w8a8. What tells an id from a key is the
    organisation before the slash or, without one, a word among the pieces.
    """
    if _is_told(text):
        return True
    pieces = _DIVIDER.split(text)
    if len(pieces) == 1 or text.count("/") > 1 or not all(map(_is_plain, pieces)):
        return False
    organisation, slash, name = text.rpartition("/")
    if not slash:
        return any(like_words([word]) >= 0.7 for word in _LONG_WORD.findall(name))
    return _is_organisation(organisation) and sum(len(_WORD.findall(piece)) > 3 for piece in pieces) <= 1


def _is_told(text: str) -> bool:
    """Whether pieces of a name behind an organisation tell that it is a model's, however the organisation is called."""
    organisation, slash, name = text.partition("/")
    pieces = _DIVIDER.split(name)
    others = [piece for piece in pieces if not _TELLING.fullmatch(piece)]
    telling = sum(map(len, pieces)) - sum(map(len, others))
    told = bool(slash) and telling >= _ENOUGH and "/" not in name and not looks_random(organisation)
    return told and all(map(_is_plain, others))


def _is_plain(piece: str) -> bool:
    """Whether a piece changes between words and digits seldom, and its letters follow each other as words' do."""
    words = _WORD.findall(piece)
    few = 0 < len(words) <= 4 and (len(piece) <= 4 or len(piece) >= 2 * len(words))
    return few and piece.isalnum() and (len(piece) < 8 or like_words(words) >= 0.5)


def _is_organisation(text: str) -> bool:
    words, digits = _WORD.findall(text), sum(map(str.isdigit, text))
    readable = len(text) < 8 or like_words(words) >= 0.4
    return readable and 2 * digits <= len(text) and sum(len(word) == 1 for word in words) <= 1
