"""What heals a stack whose update was killed while Google Cloud made something: creates that nobody saw the end of."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@frozen()
class PendingCreate:
    """One create that was begun and whose outcome is in no state."""

    urn: str
    import_id: str | None
    """Id by which the provider finds what was made; None where making it again does no harm."""


class StateError(ValueError):
    """Text that is no exported state of a stack."""


def pending_creates(state: Any) -> tuple[PendingCreate, ...]:
    """The pending creates of a state as `pulumi stack export` writes it; raises StateError for anything else."""
    deployment = state.get("deployment") if isinstance(state, Mapping) else None
    if not isinstance(deployment, Mapping):
        raise StateError("this is not an exported state: pulumi stack export prints one")
    operations = deployment.get("pending_operations") or ()
    try:
        return tuple(_pending(each["resource"]) for each in operations if each.get("type") == "creating")
    except (AttributeError, KeyError, TypeError):
        raise StateError("its pending operations are not what pulumi stack export writes") from None


def healing_command(found: tuple[PendingCreate, ...]) -> str:
    """The one command that adopts what was made and forgets the other creates, which the next update repeats."""
    adopted = [part for each in found if each.import_id for part in (each.urn, each.import_id)]
    words = ["pulumi", "refresh", *(word for part in adopted for word in ("--import-pending-creates", part))]
    return shlex.join([*words, "--clear-pending-creates"])


def _pending(resource: Mapping[str, Any]) -> PendingCreate:
    urn = str(resource["urn"])
    template = load_data(__file__, "import_ids.yaml")["ids"].get(resource["type"])
    inputs = resource.get("inputs") or {}
    if template is None or not set(_PLACEHOLDER.findall(template)) <= inputs.keys():
        return PendingCreate(urn, None)
    return PendingCreate(urn, template.format_map(inputs))
