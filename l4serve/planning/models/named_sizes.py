"""The least that a model weighs by its Hub id alone: `Bar-70B-FP8` has 70 billion parameters, of a byte each."""

import re

from l4serve.config.frozen import frozen

_SIZE = re.compile(r"(\d{1,4}(?:\.\d{1,2})?)b")
"""All parameters; those at work of them (`a3b`), experts (`8x7b`) and what only counts for so many (`e4b`) are not."""
_PLAIN = frozenset({"bf16", "fp16", "float16"})
_BYTES = frozenset({"fp8", "int8", "8bit", "w8a8", "w8a16"})
_LEAST_BITS = 4
_LESS = re.compile(r"gguf|aqlm|exl[23]|bitnet|[123]bit|i?q[123]|hqq|ternary")
"""Formats that may have fewer bits."""
_PARTS = re.compile(r"eagle\d*|dflash|draft|drafter|medusa|speculator|mtp|lora|qlora|adapters?|peft|prune[dr]?|reap")
"""Words of what bears a model's name and is a part of it, or lies beside it."""


@frozen()
class NamedSize:
    """What an id says of a model's weights."""

    billions: float
    bits: int
    """The fewest that a parameter may have."""

    @property
    def gib(self) -> float:
        """The weights, in GiB."""
        return self.billions * 1e9 * self.bits / 8 / 2**30


def named_size(model_id: str, *, stored_as_named: bool) -> NamedSize | None:
    """The size that an id tells; None where it tells none, or may be of a part of the model.

    `stored_as_named` is false where the engine makes the weights smaller as it loads them.
    """
    words = re.split(r"[-_ ]", model_id.strip().lower().rpartition("/")[2])
    sizes = [found[1] for word in words if (found := _SIZE.fullmatch(word))]
    if len(sizes) != 1 or any(_LESS.search(word) or _PARTS.fullmatch(word) for word in words):
        return None
    bits = 16 if _PLAIN.intersection(words) else 8 if _BYTES.intersection(words) else _LEAST_BITS
    return NamedSize(float(sizes[0]), bits if stored_as_named else _LEAST_BITS)
