"""Runs a Pulumi program in process and returns every resource that it registered, as the engine would receive it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.stack import wait_for_rpcs

from l4serve.cli.recording import without_traces

_SIGNATURE = rpc._special_sig_key
_UNKNOWNS = {rpc.UNKNOWN}


class Unknown:
    """A value that is not known at preview."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine receives marked as secret."""

    value: Any


@dataclass(frozen=True)
class Recorded:
    """One registered resource. `inputs` has the provider's camelCase keys, with Secret and UNKNOWN in place."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    custom: bool
    urn: str
    parent: str
    provider: str
    protect: bool
    ignore_changes: tuple[str, ...]
    dependencies: tuple[str, ...]
    deleted_with: str
    aliases: tuple[str, ...]
    retained: bool
    """Whether its deletion lets go of it alone."""
    delete_before_replace: bool | None
    """None leaves it to the provider."""


Outputs = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]
Invoked = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


def _no_outputs(type_: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


def _no_results(token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


class _Mocks(mocks.Mocks):
    def __init__(self, preview: bool, outputs: Outputs, invoked: Invoked) -> None:
        self._preview, self._outputs, self._invoked = preview, outputs, invoked

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if self._preview:
            return "", dict(args.inputs)
        return f"{args.name}-id", {**args.inputs, **self._outputs(args.typ, args.name, args.inputs)}

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:  # type: ignore[override]
        return dict(self._invoked(args.token, args.args))


class _Monitor(mocks.MockMonitor):
    def __init__(self, hooks: _Mocks) -> None:
        super().__init__(hooks)
        self.recorded: list[Recorded] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.recorded.append(
                Recorded(
                    type=request.type,
                    name=request.name,
                    inputs=_decode(json_format.MessageToDict(request.object)),
                    custom=request.custom,
                    urn=response.urn,
                    parent=request.parent,
                    provider=request.provider,
                    protect=request.protect,
                    ignore_changes=tuple(request.ignoreChanges),
                    dependencies=tuple(request.dependencies),
                    deleted_with=request.deletedWith,
                    aliases=tuple(a.spec.name or a.urn for a in request.aliases),
                    retained=request.retainOnDelete,
                    delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
                )
            )
        return response


def record(
    program: Callable[[], Any],
    *,
    preview: bool = False,
    outputs: Outputs = _no_outputs,
    invoked: Invoked = _no_results,
    project: str = "gke-llm-serving",
    stack: str = "test",
) -> list[Recorded]:
    """Run `program` to its end and return what it registered, in order.

    At preview every id and every output that is no input is unknown, as in a first `pulumi preview`; otherwise
    `outputs(type, name, inputs)` adds what the provider would compute. `invoked(token, arguments)` answers functions.
    """
    previous = settings.SETTINGS
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    monitor = _Monitor(_Mocks(preview, outputs, invoked))
    try:
        mocks.set_mocks(monitor.mocks, project=project, stack=stack, preview=preview, monitor=monitor)
        with without_traces():
            loop.run_until_complete(_run(program))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
        settings.configure(previous)
    return monitor.recorded


async def _run(program: Callable[[], Any]) -> None:
    program()
    await wait_for_rpcs()


def by_purpose(recorded: list[Recorded]) -> dict[str, Recorded]:
    """By the name that says what a resource is for: its first one, where it has since been named by what it is."""
    return {each.aliases[0] if each.aliases and each.custom else each.name: each for each in recorded}


def by_type(recorded: list[Recorded], type_: str) -> list[Recorded]:
    """Every recorded resource of a type, such as gcp:container/nodePool:NodePool."""
    return [resource for resource in recorded if resource.type == type_]


def only(recorded: list[Recorded], type_: str) -> Recorded:
    """The one recorded resource of a type."""
    (resource,) = by_type(recorded, type_)
    return resource


def resolved(output: pulumi.Output[Any], into: dict[str, Any], key: str) -> None:
    """Have `into[key]` hold what an output resolves to when the recorded program has ended."""
    output.apply(lambda value: into.__setitem__(key, value))


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if isinstance(value, str) and value in _UNKNOWNS:
        return UNKNOWN
    if not isinstance(value, dict):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    match value.get(_SIGNATURE):
        case rpc._special_secret_sig:
            return Secret(_decode(value["value"]))
        case rpc._special_output_value_sig:
            inner = _decode(value["value"]) if "value" in value else UNKNOWN
            return Secret(inner) if value.get("secret") else inner
        case _:
            return {key: _decode(item) for key, item in value.items()}
