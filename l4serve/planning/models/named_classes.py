"""Classes of models that see or hear and no catalogue describes, by their ids: what vLLM's own list of models says."""

import re
from functools import cache

from l4serve.config.data_file import load_data

_TUNED = re.compile(r"-(instruct|it|chat|base|pt)$")
"""Ends of ids that say how a model was trained, which its class does not depend on."""
_GPT_OSS = re.compile(r"(^|/)gpt-oss-(20b|120b)(-|$)")
"""Ids of OpenAI's two models, whatever a publisher stores their weights in: there is one class for them."""


def named_class(model_id: str) -> str | None:
    """The class that config.json of a listed model names; None for a model that is not listed."""
    return _classes().get(_stem(model_id)) or ("GptOssForCausalLM" if _GPT_OSS.search(model_id.lower()) else None)


@cache
def _classes() -> dict[str, str | None]:
    """Each class by the stem of its models' ids; None for a stem that several classes have."""
    found: dict[str, str | None] = {}
    for name, ids in load_data(__file__, "named_classes.json")["classes"].items():
        for stem in map(_stem, ids):
            found[stem] = name if found.get(stem, name) == name else None
    return found


def _stem(model_id: str) -> str:
    return _TUNED.sub("", model_id.strip().lower())
