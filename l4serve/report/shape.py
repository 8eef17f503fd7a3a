"""The shape of the JSON document of a difference: its published schema, and the check of a document from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Change = Literal["added", "removed", "changed", "same"]
Lands = Literal[
    "nothing",
    "in place",
    "pod restart",
    "workload replaced",
    "node recreation",
    "pool replaced",
    "cluster replaced",
]
Facts = dict[str, Any] | None
_MOST_ITEMS = 5000
Text = Annotated[str, Field(max_length=200_000)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Danger(_Shape):
    """Something that a reviewer must not overlook."""

    kind: Text
    """Such as `cluster replaced`, `public endpoint`, `protection lifted`, `rule allowed`, `rename`, `full pool`,
    `subnet in use`, `address in use`, `add-on in use`, `identity changed`, `access lost`."""
    path: Text
    """Path in the stack file."""
    text: Text


class Amount(_Shape):
    """Money over time in USD; null where nobody states it."""

    usdPerHour: float | None  # noqa: N815 - the interface's
    usdPerMonth: float | None  # noqa: N815 - the interface's


class Cost(_Shape):
    """Cost of one side, as in `l4serve plan --json`."""

    min: Amount
    planned: Amount
    max: Amount
    spotShare: float | None  # noqa: N815 - the interface's
    gpusStranded: int  # noqa: N815 - the interface's
    unknown: list[Text]
    priceDates: list[Text] = []  # noqa: N815 - the interface's
    """Days of the prices in these sums; empty in a document of a release that did not say them."""


class Costs(_Shape):
    """Cost of both sides; null where a side is missing or refused."""

    before: Cost | None
    after: Cost | None


class DifferingRow(_Shape):
    """One attribute of a resource that differs, and how it lands."""

    what: Text
    before: Any
    after: Any
    lands: Lands


class Part(_Shape):
    """A part of a stack on both sides."""

    name: Text
    change: Change
    lands: Lands | None
    """A word of the table of edits; null for a part that is added or removed."""
    before: Facts
    after: Facts
    changes: Annotated[list[DifferingRow], Field(max_length=_MOST_ITEMS)]


class ObjectPart(Part):
    """The cluster, a compute class, the namespace, the token or the dashboard."""

    kind: Text


class Flags(_Shape):
    """The engine's flags that differ; a switch has the value true, a repeated flag a list."""

    added: dict[str, Any]
    removed: dict[str, Any]
    changed: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]]


class Downtime(_Shape):
    """Whether those who are served notice the update, and why."""

    expected: bool
    why: Text


class WorkloadPart(Part):
    """A workload on both sides."""

    flags: Flags
    downtime: Downtime


class Edit(_Shape):
    """A path of the config, recipes applied, whose value differs."""

    path: Text
    before: Any
    after: Any
    lands: Lands | None


class Note(_Shape):
    """What an operator should know."""

    path: Text
    text: Text


class Notes(_Shape):
    """Notes that come and go."""

    added: list[Note]
    removed: list[Note]


class PoolPacking(_Shape):
    """The nodes of a pool in use, each with its pods by workload."""

    nodes: list[dict[str, int]]
    gpusIdle: int  # noqa: N815 - the interface's
    gpusStranded: int  # noqa: N815 - the interface's


class Packing(_Shape):
    """Pods on nodes, by pool."""

    before: dict[str, PoolPacking] | None
    after: dict[str, PoolPacking] | None


class Refusal(_Shape):
    """One reason why a side is refused."""

    path: Text
    text: Text
    fix: Text
    place: Text = ""
    """File and line; empty in a document of a release that did not say it."""


class StackDifference(_Shape):
    """What changes in one stack."""

    stack: Text
    verdict: Literal["same", "changed", "refused"]
    danger: Annotated[list[Danger], Field(max_length=_MOST_ITEMS)]
    cost: Costs
    workloads: Annotated[list[WorkloadPart], Field(max_length=_MOST_ITEMS)]
    pools: Annotated[list[Part], Field(max_length=_MOST_ITEMS)]
    objects: Annotated[list[ObjectPart], Field(max_length=_MOST_ITEMS)]
    edits: Annotated[list[Edit], Field(max_length=10 * _MOST_ITEMS)]
    notes: Notes
    packing: Packing
    refusals: list[Refusal]
    baseRefusals: list[Refusal]  # noqa: N815 - the interface's


class DifferenceDocument(_Shape):
    """What `l4serve diff --json` prints."""

    schemaVersion: Literal[1]  # noqa: N815 - the interface's
    base: Text
    remarks: list[Text]
    stacks: Annotated[list[StackDifference], Field(max_length=1000)]


class ShapeError(ValueError):
    """A document of another shape; the message names a place and repeats nothing of the document."""


def checked(document: Any) -> Mapping[str, Any]:
    """The document, where it has the shape that `l4serve diff --json` gives it. Raises ShapeError."""
    try:
        DifferenceDocument.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        keys = [str(step) for step in first["loc"] if isinstance(step, int) or step in _KNOWN]
        raise ShapeError(f"the document has another shape at {'.'.join(keys)}: {first['type']}") from None
    found: Mapping[str, Any] = document
    return found


def difference_schema() -> Mapping[str, Any]:
    """JSON Schema (draft 2020-12) of the document."""
    schema = DifferenceDocument.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_MODELS: tuple[type[BaseModel], ...] = (
    DifferenceDocument,
    StackDifference,
    WorkloadPart,
    ObjectPart,
    Cost,
    Costs,
    Amount,
)
_KNOWN = frozenset(name for model in _MODELS for name in model.model_fields)
