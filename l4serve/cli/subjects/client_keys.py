"""The keys that servers ask of clients, from this command's environment: each workload is sent its own, or none."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from l4serve.cli.shell.messages import refuse_input

if TYPE_CHECKING:
    from l4serve.planning.workload.workload_plan import WorkloadPlan

API_KEY_VARIABLE = "L4SERVE_API_KEY"


def server_key() -> str | None:
    """The key of the one server that is asked."""
    return os.environ.get(API_KEY_VARIABLE) or None


def own_variable(workload: str) -> str:
    """The variable with the key of a workload, which comes before the one that several with one key share."""
    return f"{API_KEY_VARIABLE}_{workload.upper().replace('-', '_')}"


def keys_of(workloads: "Sequence[WorkloadPlan]") -> Mapping[str, str]:
    """The key of each workload that asks for one, by its name; exits 2 where the environment lacks one."""
    asking = [workload for workload in workloads if workload.engine.key_source is not None]
    shared = server_key() if len({_origin(workload) for workload in asking}) == 1 else None
    found = {each.name: os.environ.get(own_variable(each.name)) or shared for each in asking}
    if missing := [name for name, key in found.items() if key is None]:
        raise refuse_input(_missing(missing, several=len({_origin(each) for each in asking}) > 1))
    return {name: key for name, key in found.items() if key is not None}


def _missing(names: Sequence[str], *, several: bool) -> str:
    if not several:
        return f"{', '.join(names)}: the server asks for the key of apiKey; put it into {API_KEY_VARIABLE}"
    variables = ", ".join(map(own_variable, names))
    told = f"{', '.join(names)}: the servers ask for keys of their own; put them into {variables}"
    return f"{told}, or name one workload with --workload"


def _origin(workload: "WorkloadPlan") -> tuple[str | None, ...]:
    """Where a key comes from: workloads with one origin have one key."""
    source = workload.engine.key_source
    assert source is not None, "only a workload that asks for a key has an origin of it"
    if source.config_key or source.secret_version:
        return source.config_key, source.secret_version
    return source.secret_name, source.key
