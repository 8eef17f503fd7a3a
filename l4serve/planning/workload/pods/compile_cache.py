"""Whether a workload's compile cache is ever filled, and whether its engine compiles at all."""

from typing import Any

from l4serve.config.keys.base import fields_by_key
from l4serve.config.keys.workload import Workload
from l4serve.config.words.paths import lies_in
from l4serve.engines.arguments.compilation import compilation
from l4serve.engines.model_location import CACHE_FOLDER
from l4serve.engines.releases.profile import engine_profile

_OFF = "VLLM_DISABLE_COMPILE_CACHE"
_NOTHING = ("0", "NONE")
"""Levels, or modes, at which vLLM compiles nothing: vllm/config/compilation.py (CompilationMode)."""


def is_eager(workload: Workload) -> bool:
    """Whether the engine neither compiles nor captures graphs."""
    engine, settings = workload.engine, engine_profile(workload.engine.kind).eager.items()
    return all(_plain(getattr(engine, fields_by_key(type(engine))[key])) == value for key, value in settings)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def compiles(workload: Workload) -> bool:
    """Whether the engine compiles as it starts."""
    return not is_eager(workload) and _level(workload) is None


def unused_cache(workload: Workload) -> str | None:
    """Why the compile cache that the config asks for stays empty; None where it is filled, or not asked for."""
    if workload.compile_cache is None:
        return None
    if is_eager(workload):
        return "enforceEager leaves nothing to compile"
    if (level := _level(workload)) is not None:
        return f"{level} leaves nothing to compile"
    if workload.extra_env.get(_OFF, "0") != "0":
        return f"{_OFF} turns it off"
    folder = _stated(workload).get("cache_dir")
    if folder and not lies_in(folder, (CACHE_FOLDER,)):
        return f"cache_dir keeps what is compiled in {folder}"
    return None


def _level(workload: Workload) -> str | None:
    """The level or mode by which nothing is compiled, as the config states it."""
    stated = _stated(workload)
    return next((f"{key} {stated[key]}" for key in ("mode", "level") if str(stated.get(key)) in _NOTHING), None)


def _stated(workload: Workload) -> dict[str, Any]:
    return compilation(workload.engine, workload.extra_args)
