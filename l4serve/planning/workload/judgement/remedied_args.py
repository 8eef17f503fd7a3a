"""Remedies for settings that stand in `extraArgs`: the typed field takes the place of the argument."""

import json
from collections.abc import Mapping
from dataclasses import replace

from pydantic.alias_generators import to_snake

from l4serve.config.keys.workload import Workload
from l4serve.engines.arguments.replaced_args import without_fields
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.remedies import Remedy
from l4serve.planning.memory.stated_cache import stated_cache


def remaining_args(extra_args: tuple[str, ...], edit: Mapping[str, object], contract: Contract) -> tuple[str, ...]:
    """The extra arguments that are left once an edit of typed fields is made."""
    keys = (key.removeprefix("engine.").partition(".")[0] for key in edit if key.startswith("engine."))
    return without_fields(extra_args, map(to_snake, keys), contract) if extra_args else extra_args


def in_place_of_args(remedy: Remedy, extra_args: tuple[str, ...], contract: Contract) -> Remedy:
    """The remedy with the extra arguments that its typed fields leave, where that is not all of them."""
    kept = remaining_args(extra_args, remedy.edit, contract)
    if kept == extra_args:
        return remedy
    text = remedy.text.replace(" (", f", extraArgs: {json.dumps(kept)} (", 1)
    return replace(remedy, edit={**remedy.edit, "extraArgs": list(kept)}, text=text)


def memory_path(workload: Workload, options: ServingOptions, fit: Fit) -> str:
    """The path of the setting that memory stops at: the stated size of the cache where that holds no sequence."""
    stated = stated_cache(options)
    if stated is None or fit.max_concurrency >= 1:
        return engine_profile(workload.engine.kind).path("length")
    typed = getattr(workload.engine, to_snake(stated.key.removeprefix("engine.")), None)
    return stated.key if typed is not None else "extraArgs"
