"""What the key that clients send leaves open."""

from l4serve.config.workload import Workload
from l4serve.engines.profile import engine_profile


def open_despite_key(workload: Workload) -> tuple[str, ...]:
    """What answers without the API key, where there is one."""
    if workload.api_key is None:
        return ()
    return (f"without the API key answer {engine_profile(workload.engine.kind).open_despite_key}, and health checks",)
