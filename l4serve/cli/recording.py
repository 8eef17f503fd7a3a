"""Runs the Pulumi program in process under a recording monitor: no engine, no network, no credentials."""

import asyncio
import contextlib
import logging
import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, resource, settings
from pulumi.runtime.proto import source_pb2

from l4serve.config.frozen import frozen
from l4serve.planning.stack.left_changes import SIGNATURE_KEY

SECRET_MARKER = "<secret>"
UNKNOWN_MARKER = "<known after apply>"

_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@frozen()
class Registration:
    """One resource as the program registered it; secrets and unknown values are markers."""

    type: str
    name: str
    urn: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    """Those of `protect`, `deletedWith`, `dependencies`, `aliases`, `provider`, `retainOnDelete` that are set."""


class RecordingMonitor(mocks.MockMonitor):
    """A resource monitor that keeps what it is told and invents the outputs that later resources need."""

    def __init__(self, outputs: mocks.Mocks) -> None:
        super().__init__(outputs)
        self.registrations: list[Registration] = []
        self.exports: Mapping[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name is the protocol's
        """Records a registration, then answers it as the mocks do."""
        if request.type != "pulumi:pulumi:Stack":
            self.registrations.append(
                Registration(
                    type=request.type,
                    name=request.name,
                    urn=self.make_urn(request.parent, request.type, request.name),
                    parent=request.parent,
                    custom=request.custom,
                    inputs=_readable(json_format.MessageToDict(request.object)),
                    options=_options(request),
                )
            )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name is the protocol's
        """Keeps the stack's exports. The mocks' own root stack exports nothing, and may say so last."""
        if "::pulumi:pulumi:Stack::" in request.urn:
            self.exports = _readable(json_format.MessageToDict(request.outputs)) or self.exports
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


class InventedOutputs(mocks.Mocks):
    """Answers in place of providers: a resource's inputs, an id, and the outputs that the program reads."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """The id and state of a resource."""
        state = dict(args.inputs)
        state.setdefault("name", args.name)
        return f"{args.name}-id", {**state, **_INVENTED.get(args.typ, {})}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """The result of a provider function."""
        return {**args.args, **_INVENTED.get(args.token, {})}, []


_CLUSTER = {
    "endpoint": "192.0.2.1",
    "masterAuth": {"clusterCaCertificate": "Q0E="},
    "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": "gke-example.gke.goog"}},
    "subnetwork": "projects/example/regions/example/subnetworks/example",
}
# A function's result has lists where the resource has single blocks.
_FOUND_CLUSTER = {
    "endpoint": "192.0.2.1",
    "masterAuths": [{"clusterCaCertificate": "Q0E="}],
    "network": "projects/example/global/networks/example",
    "subnetwork": "projects/example/regions/example/subnetworks/example",
    "controlPlaneEndpointsConfigs": [
        {"dnsEndpointConfigs": [{"endpoint": "gke-example.gke.goog", "allowExternalTraffic": True}]}
    ],
}
_INVENTED: Mapping[str, Mapping[str, Any]] = {
    "gcp:container/cluster:Cluster": _CLUSTER,
    "gcp:container/getCluster:getCluster": _FOUND_CLUSTER,
    "gcp:organizations/getProject:getProject": {"number": "123456789012"},
    "gcp:serviceaccount/account:Account": {"email": "nodes@example.iam.gserviceaccount.com"},
}


def record_program(
    program: Path, *, project: str, stack: str, base: Path, config: Mapping[str, str], secrets: tuple[str, ...]
) -> RecordingMonitor:
    """Runs the Pulumi program at a path in the folder `base`, as the engine would, and returns what it registered.

    `config` is keyed as in a stack file, each value a string or JSON; `secrets` are the keys whose values are secret.
    Raises what the program raises, a pulumi.RunError for a refused config.
    """
    monitor = RecordingMonitor(InventedOutputs())
    with contextlib.chdir(base), _importable(program.parent), without_traces(), _event_loop() as loop:
        mocks.set_mocks(monitor.mocks, project=project, stack=stack, preview=False, logger=_silent(), monitor=monitor)
        # The mocks begin a root stack of their own; the program is to have the one that the runtime makes for it.
        settings.set_root_resource(None)  # type: ignore[arg-type]
        pulumi.runtime.set_all_config(dict(config), list(secrets))
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(program)))
    return monitor


@contextmanager
def without_traces() -> Iterator[None]:
    """No registration says which lines led to it: a tenth of the time of a recording, and nobody reads it there."""
    kept = resource._get_stack_trace
    resource._get_stack_trace = source_pb2.StackTrace
    try:
        yield
    finally:
        resource._get_stack_trace = kept


def _silent() -> logging.Logger:
    """A logger for the program's own log: the commands print the plan's notes themselves."""
    logger = logging.getLogger("l4serve.program")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def _run(program: Path) -> None:
    try:
        runpy.run_path(str(program), run_name="__main__")
    except SystemExit as ended:
        # A refused config ends the program; here nobody hears its log.
        raise ended.__cause__ or ended from None


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The thread's event loop, set before the runtime makes its first task: tasks of another loop never end."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Imports from the program's own folder, and never from the working directory, where a stranger's files may lie."""
    before = sys.path[:]
    sys.path[:] = [str(folder), *(path for path in before if path not in ("", "."))]
    try:
        yield
    finally:
        sys.path[:] = before


def _options(request: Any) -> Mapping[str, Any]:
    options = {
        "protect": request.protect,
        "retainOnDelete": request.retainOnDelete,
        "deletedWith": request.deletedWith,
        "deleteBeforeReplace": request.deleteBeforeReplace,
        "dependencies": tuple(sorted(request.dependencies)),
        "provider": request.provider,
        "aliases": tuple(json_format.MessageToDict(alias) for alias in request.aliases),
        "ignoreChanges": tuple(request.ignoreChanges),
    }
    return {name: value for name, value in options.items() if value}


def _readable(value: Any) -> Any:
    """A wire value with whole numbers as integers, and markers in place of secrets and unknown values."""
    if isinstance(value, dict):
        if value.get(SIGNATURE_KEY) == _SECRET_SIGNATURE:
            return _mask(value.get("value"))
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return UNKNOWN_MARKER if value == _UNKNOWN else value


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mask(item) for key, item in value.items()}
    return [_mask(item) for item in value] if isinstance(value, list) else SECRET_MARKER
