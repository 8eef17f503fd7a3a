"""What a workload's server answers with: text, or vectors, scores, classes and rewards."""

from collections.abc import Mapping
from typing import Any

from l4serve.config.keys.workload import Workload
from l4serve.engines.arguments.asked_words import asked_words
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.models.purpose import Purpose, purpose_of_class, purpose_of_word


def served_purpose(workload: Workload, shape: ModelShape | None, contract: Contract) -> Purpose:
    """What the config asks for, else what the model, or its class in the release, was made for."""
    if engine_profile(contract.engine).architecture_names != "classes":
        return "generate"
    words = asked_words(workload.engine, workload.extra_args, contract)
    if words["runner"] == "generate":
        return "generate"
    asked = purpose_of_word(words["task"]) or purpose_of_word(words["convert"])
    made = shape.purpose if shape else None
    overriding = _overriding_class(words)
    if architecture := overriding or (shape.architecture if shape else None):
        served = contract.served(architecture)
        of_class = purpose_of_class(architecture, served.kind if served else None)
        made = (of_class or made) if overriding else (made or of_class)
    return asked or made or purpose_of_word(words["runner"]) or "generate"


def _overriding_class(words: Mapping[str, Any]) -> str | None:
    """The class that --hf-overrides puts in the model's place."""
    named = words["arg.hfOverrides.architectures"]
    first = named[0] if isinstance(named, list | tuple) and named else named
    return first if isinstance(first, str) else None
