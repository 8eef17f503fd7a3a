"""Pulumi's Python language host, as much as the engine asks of it: Pulumi's own is in no module registry.

Runs a program as a process of its own with the interpreter that runs this file, or as a fork of one that is warm where
the environment names it. `language_host.py ENGINE` serves and prints its port; `language_host.py run` reads what to run
as JSON from standard input.
"""

import asyncio
import json
import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

SHOWN = 32
"""Exit status by which a program tells Pulumi's host that it has said all that a person needs."""
WARM = "L4SERVE_TESTS_WARM_PYTHON"
"""Variable with the socket of a Python that is warm."""
_ORPHAN_POLL_S = 0.5
_QUIET = str(Path(__file__).with_name("quiet_start.py"))


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine at the address `engine`."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        # The engine reads the stack before it asks for the program, which loads meanwhile.
        self._program = None if WARM in os.environ else _new_program()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802 - the names are the protocol's
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=pulumi.__version__ if hasattr(pulumi, "__version__") else "0.0.0")

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802
        """None ahead of the run: a resource's registration names its provider."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.GetRequiredPluginsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        yield language_pb2.InstallDependenciesResponse()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        what = {
            "program": request.info.program_directory or request.pwd,
            "pwd": request.pwd,
            "config": dict(request.config),
            "secrets": list(request.configSecretKeys),
            "settings": {
                "monitor": request.monitor_address,
                "engine": self._engine,
                "project": request.project,
                "stack": request.stack,
                "parallel": request.parallel,
                "dry_run": request.dryRun,
                "organization": request.organization or "organization",
            },
        }
        status = self._run(json.dumps(what))
        if status == SHOWN:
            return language_pb2.RunResponse(bail=True)
        error = f"program exited with non-zero exit code: {status}" if status else ""
        return language_pb2.RunResponse(error=error)

    def _run(self, what: str) -> int:
        if warm := os.environ.get(WARM):
            from tests.pulumi_cli.warm_python import call

            return call(warm, ["run"], what)
        program, self._program = self._program, None
        program = program or _new_program()
        program.communicate(what)
        return program.returncode


def _new_program() -> "subprocess.Popen[str]":
    """A process that loads Pulumi's SDK and waits to be told what to run; an interrupt ends it without a trace."""
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-u", _QUIET, __file__, "run"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, text=True)


def serve(engine: str) -> None:
    """Serve until the engine interrupts this or is gone itself."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    _await_orphaned()
    os._exit(0)


def _run_program(path: str) -> None:
    runpy.run_path(path, run_name="__main__")


def _end_when_orphaned() -> None:
    _await_orphaned()
    os._exit(1)


def run(what: dict[str, Any]) -> int:
    """Run the program against the engine and say how it went, as an exit status."""
    # The engine interrupts the program of an update that has failed, and has said why.
    signal.signal(signal.SIGINT, lambda *_: os._exit(1))
    threading.Thread(target=_end_when_orphaned, daemon=True).start()
    pulumi.runtime.set_all_config(what["config"], what["secrets"])
    pulumi.runtime.configure(pulumi.runtime.Settings(**what["settings"]))
    os.chdir(what["pwd"])
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run_program(what["program"])))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception:
        pulumi.log.error(traceback.format_exc())
        return 1
    return 0


def _await_orphaned() -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(_ORPHAN_POLL_S)


def command(arguments: list[str], told: str) -> int:
    """Serve the engine of that address, or run what is told; the exit status."""
    if arguments == ["run"]:
        try:
            return run(json.loads(told)) if told else 0
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    serve(arguments[-1])
    return 0


if __name__ == "__main__":
    sys.exit(command(sys.argv[1:], sys.stdin.read() if sys.argv[1:] == ["run"] else ""))
