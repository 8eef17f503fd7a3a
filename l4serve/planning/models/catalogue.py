"""Open models that people serve, from `data/catalogue.json`."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.words.spelling import ALIKE, nearest
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.models.named_copies import names_of_the_same
from l4serve.planning.models.named_formats import named_format, stores_mixtures_alike


@cache
def _entries() -> dict[str, dict[str, Any]]:
    return {entry["id"].lower(): entry for entry in load_data(__file__, "catalogue.json")["models"]}


@cache
def _names() -> dict[str, tuple[str, str, bool]]:
    """Every known name in lower case: the id as the Hub spells it, its entry, and whether its licence gates it."""
    names: dict[str, tuple[str, str, bool]] = {}
    for key, entry in _entries().items():
        gated = bool(entry.get("gated", False))
        for name in (entry["id"], *entry.get("aliases", ())):
            names[name.lower()] = (name, key, gated)
        for name in entry.get("mirrors", ()):
            names[name.lower()] = (name, key, False)
    return names


@cache
def _facts(name: str, key: str, gated: bool) -> ModelShape:
    """A model's facts; where its sentence_bert_config.json allows fewer tokens (`maxSeqLength`), so does the engine."""
    entry = _entries()[key]
    facts = shape_from_config(entry["config"], model_id=name, source=entry["source"])
    purpose = entry.get("purpose", facts.purpose)
    return replace(
        facts,
        gated=gated,
        max_position_embeddings=min(
            facts.max_position_embeddings, entry.get("maxSeqLength", facts.max_position_embeddings)
        ),
        checkpoint_bytes=entry.get("checkpointBytes"),
        purpose=purpose,
        is_seen=name not in entry.get("unseen", ()),
    )


def find_model(model_id: str) -> ModelShape | None:
    """The facts of a model by its Hub id in any case, or None.

    An alias has the facts of the model whose shape it shares, under its own id; so has a copy under another owner. A
    checkpoint named by a model and a format has that model's, where the format tells all of it.
    """
    asked = model_id.strip()
    known = _names().get(asked.lower())
    return _copied(asked) or _in_named_format(asked) if known is None else _facts(*known)


@cache
def _copied(model_id: str) -> ModelShape | None:
    same = names_of_the_same(model_id).items()
    found = next(((_names()[name], gates) for name, gates in same if name in _names()), None)
    if found is None:
        return None
    (name, key, gated), gates = found
    return replace(_facts(name, key, gated and gates), id=model_id, is_seen=False)


@cache
def _in_named_format(model_id: str) -> ModelShape | None:
    if (named := named_format(model_id)) is None:
        return None
    tail, stored = named
    tails = (tail, f"{tail}-hf", tail.removeprefix("meta-"))
    found = [_entries()[key] for name, (_, key, _) in _names().items() if name.rpartition("/")[2] in tails]
    if not found:
        return None
    entry = min(found, key=lambda entry: "quantization_config" in entry["config"])
    source = f"shape of {entry['id']} ({entry['source']}), in the format that the id names"
    shape = shape_from_config({**entry["config"], "quantization_config": stored}, model_id=model_id, source=source)
    told = shape.moe is None or stores_mixtures_alike(model_id)
    parts = (shape.mla, shape.linear_state, shape.encoder_parameters, shape.is_encoder, shape.per_layer_width)
    return replace(shape, is_seen=False) if told and not any(parts) else None


def all_names() -> tuple[str, ...]:
    """Every known Hub id, aliases and mirrors included, as the Hub spells it."""
    return tuple(name for name, _, _ in _names().values())


def misspelt(model_id: str) -> str | None:
    """The known id that an unknown one surely means: it lacks the owner or a dash, or one word of letters is misspelt.

    None for an id that another model may well have: relatives differ by numbers, short words and whole words.
    """
    words = _words(model_id)
    for name in all_names():
        owner, _, own = name.rpartition("/")
        if "/" not in model_id and own.lower() == model_id.lower() and owner:
            return name
        known = _words(name)
        if len(words) != len(known) or name.lower() == model_id.lower():
            continue
        others = [(a, b) for a, b in zip(words, known, strict=True) if a != b]
        if len(others) <= 1 and all(_is_slip(*pair) for pair in others):
            return name
    return None


def meant_model(model_id: str, *, alike: float = ALIKE) -> str | None:
    """The known id that an unknown one may mean: a misspelt one, that of another owner, else the nearest."""
    same = [name for name in all_names() if _own(name) == _own(model_id)]
    owner = model_id.lower().partition("/")[0]
    near = next((name for name in same if name.lower().startswith(f"{owner}/")), same[0] if same else None)
    return misspelt(model_id) or near or nearest(model_id, all_names(), alike=alike)


def model_hint(model_id: str) -> str:
    """The question whether that id was meant; empty where none is near."""
    near = meant_model(model_id)
    return f"did you mean {near}?" if near else ""


def unless_meant(model_id: str, *, alike: float = ALIKE) -> str:
    """The same before what else is to be done; empty where none is near."""
    near = meant_model(model_id, alike=alike)
    return f"did you mean {near}? If not, " if near else ""


def _own(name: str) -> str:
    """A model's name without its owner, the words for one that chats alike."""
    return re.sub(r"-(instruct|it|chat)$", "-chat", name.lower().rpartition("/")[2])


@cache
def _words(model_id: str) -> tuple[str, ...]:
    """The words and the numbers of an id, whatever stands between them."""
    return tuple(re.findall(r"[a-z]+|[0-9]+", model_id.lower()))


@cache
def _known_words() -> frozenset[str]:
    return frozenset(word for name in all_names() for word in _words(name))


def _is_slip(word: str, known: str) -> bool:
    """Whether a word of letters is another one with letters lost, doubled or swapped."""
    if not word.isalpha() or not known.isalpha():
        return False
    if word not in _known_words() and (min(len(word), len(known)) >= _SHORTEST_EDIT or known in _FORMATS):
        return _is_one_edit(word, known) or _is_alike(word, known)
    return _is_alike(word, known)


def _is_alike(word: str, known: str) -> bool:
    long = min(len(word), len(known)) >= _SHORTEST_SLIP
    return long and (sorted(word) == sorted(known) or SequenceMatcher(None, word, known).ratio() >= _SLIP)


def _is_one_edit(word: str, known: str) -> bool:
    """Whether one letter is lost, doubled or another, or two neighbours are swapped."""
    start = next((i for i, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), min(len(word), len(known)))
    a, b = word[start:], known[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


_SHORTEST_EDIT = 4
"""Letters that a word which no known id has must have to be another one with one letter wrong."""
_FORMATS = ("awq", "gptq", "gguf")
_SHORTEST_SLIP = 5
_SLIP = 0.85
"""Letters that a word must have, and their share that must agree with another's, to be that word misspelt."""


def all_models() -> tuple[ModelShape, ...]:
    """Every catalogued shape once, aliases left out."""
    return tuple(_facts(*_names()[key]) for key in _entries())


@cache
def quantized_variants(model: ModelShape) -> tuple[ModelShape, ...]:
    """Catalogued checkpoints of the model in fewer bits that were seen on the Hub, those with the most bits first.

    Without those that somebody names and nobody is known to have downloaded (`proposed`).
    """
    if model.quantization is not None:
        return ()
    named = [known for name, known in _names().items() if _names_only_a_format(name, model.id)]
    found = [_facts(*known) for known in named if _entries()[known[1]].get("proposed", True)]
    same = [m for m in found if m.is_seen and m.quantization and _shape(m) == _shape(model)]
    same = [m for m in same if m.max_position_embeddings <= model.max_position_embeddings]
    return tuple(sorted(same, key=lambda m: -(m.quantization.bits if m.quantization else 0)))


def _names_only_a_format(name: str, base: str) -> bool:
    """Whether a Hub id is a model's name, perhaps after a word of its owner, and a format: whatever else it names, such
    as what it was tuned for or when, makes it another model."""
    owner, _, tail = base.lower().rpartition("/")
    before, found, rest = name.lower().rpartition("/")[2].partition(tail)
    formats = [word for word in re.split("[-_.]", rest) if word]
    owned = set(re.split("[-_.]", owner)) | {""}
    return bool(found and formats) and owned.issuperset(before.split("-")) and all(map(_FORMAT.fullmatch, formats))


_FORMAT = re.compile(
    r"(nv|mx)?(fp|int)[0-9]+|bf16|[0-9]+bit|w[0-9]+a[0-9]+|awq|gptq|bnb|quantized|dynamic|static|per(tensor|channel)"
)
"""A word of a format: bits, what made it, and what shares a scale."""


def _shape(model: ModelShape) -> tuple[object, ...]:
    return model.architecture, model.num_hidden_layers, model.hidden_size, model.vocab_size
