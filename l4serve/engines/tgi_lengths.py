"""TGI's lengths with the launcher's own defaults filled in, and its prefix cache, as facts for rules."""

from typing import Any

from packaging.version import Version

from l4serve.config.keys.tgi import TgiEngine
from l4serve.engines.case import Case

_FACTS = ("tgi.input", "tgi.total", "tgi.prefill", "tgi.inputSet", "tgi.prefixCaching")
_PREFIX_VARIABLES = ("PREFIX_CACHING", "USE_PREFIX_CACHING")
"""Since 2.4.0, and before: server/text_generation_server/models/globals.py."""
_PREFILL_MARGIN = 50
"""Tokens by which the launcher's default prefill batch exceeds the longest prompt: launcher/src/main.rs."""


def length_facts(case: Case) -> dict[str, Any]:
    """The lengths that the launcher would use; None where the release computes them, or the engine is another."""
    engine = case.engine
    if not isinstance(engine, TgiEngine):
        return dict.fromkeys(_FACTS)
    cap = case.contract.default_context
    default = min(cap, case.model.max_position_embeddings or cap) if cap else None
    given = engine.max_input_tokens or engine.max_input_length
    length = given or (default - 1 if default else None)
    return {
        "tgi.inputSet": given,
        "tgi.prefixCaching": _asks_for_prefixes(case),
        "tgi.input": length,
        "tgi.total": engine.max_total_tokens or default,
        "tgi.prefill": engine.max_batch_prefill_tokens or (length + _PREFILL_MARGIN if cap and length else None),
    }


def _asks_for_prefixes(case: Case) -> bool:
    """Whether the variable that the release reads turns its prefix cache on."""
    name = _PREFIX_VARIABLES[case.version < _RENAMED]
    return case.extra_env.get(name, "").lower() in ("1", "true")


_RENAMED = Version("2.4.0")
