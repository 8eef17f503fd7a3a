"""l4serve sandbox: a control plane that stays up until it is taken down."""

import shutil
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from l4serve.cli.answers.sandbox_view import FAILED, readable_sandbox_errors, shown_progress
from l4serve.cli.commands.render_command import render_stack
from l4serve.cli.shell.messages import readable_refusals
from l4serve.cli.shell.output import SafeConsole, print_json, say
from l4serve.cli.subjects.stack_options import FileOption, JsonOption, StackOption, load
from l4serve.planning.machines.daemonsets import daemonset_overhead
from l4serve.sandbox.build import ensure_binaries
from l4serve.sandbox.go_modules import ENGINE
from l4serve.sandbox.lifecycle import find_kept, find_strays, running_sandbox, take_down
from l4serve.sandbox.nodes import FakeNode
from l4serve.sandbox.planned_nodes import standing_nodes
from l4serve.sandbox.rehearsal import prepare
from l4serve.sandbox.state import SandboxState
from l4serve.sandbox.strays import MarkedProcess

sandbox_app = typer.Typer(
    help="A Kubernetes control plane on this machine, with fake GPU nodes.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
EngineOption = Annotated[bool, typer.Option(help="Build the Pulumi engine too, which the tests run.")]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Replace a sandbox that runs already.")]


@sandbox_app.command()
def build(engine: EngineOption = True) -> None:
    """Build the sandbox's programs once, and print the folders that keep them.

    The Pulumi engine is built only where `pulumi` is not on PATH.
    """
    with readable_sandbox_errors(), shown_progress() as progress:
        folders = [ensure_binaries(progress)]
        if engine and shutil.which("pulumi") is None:
            folders.append(ensure_binaries(progress, build=ENGINE))
    for folder in folders:
        say(str(folder))


@sandbox_app.command()
def up(
    stack: StackOption = None,
    file: FileOption = None,
    fresh: FreshOption = False,
    as_json: JsonOption = False,
) -> None:
    """Start the sandbox and leave it up; with a stack, with its planned nodes and nothing on them."""
    with readable_sandbox_errors():
        kept = find_kept()
    if kept is not None and kept.is_running and not fresh and stack is None and file is None:
        _report(kept, as_json=as_json)
        return
    label, nodes = _nodes_of(stack, file)
    with (
        readable_sandbox_errors(),
        shown_progress() as progress,
        running_sandbox(label, keep=True, progress=progress) as state,
        state.client() as client,
    ):
        prepare(state, client, nodes, overhead=daemonset_overhead(), progress=progress)
    _report(state, as_json=as_json)


@sandbox_app.command()
def status(as_json: JsonOption = False) -> None:
    """Say whether the sandbox is up, and where its kubeconfig is; exit 1 where it is not, or strays are left."""
    with readable_sandbox_errors():
        kept, strays = find_kept(), find_strays()
    if kept is not None:
        _report(kept, as_json=as_json, strays=strays)
    elif as_json:
        print_json({"running": False} | strays_json(strays))
    else:
        say("The sandbox is down.")
    if strays and not as_json:
        named = ", ".join(f"{stray.identity.name} ({stray.identity.pid})" for stray in strays)
        say(f"Processes of sandboxes that are over still run: {named}. `l4serve sandbox down` ends them.")
    if kept is None or not kept.is_running or strays:
        raise typer.Exit(FAILED)


@sandbox_app.command()
def down() -> None:
    """End the sandbox: no process and no file of it stays."""
    with readable_sandbox_errors(), shown_progress() as progress:
        existed = take_down(progress)
    say("The sandbox is down." if existed else "There was no sandbox.")


def _nodes_of(stack: str | None, file: Any) -> tuple[str, tuple[FakeNode, ...]]:
    if stack is None and file is None:
        return "no stack", ()
    loaded = load(stack, file)
    with readable_refusals(loaded.file):
        rendered = render_stack(loaded)
    return loaded.name, standing_nodes(rendered.plan, rendered.objects)


def _report(state: SandboxState, *, as_json: bool, strays: tuple[MarkedProcess, ...] = ()) -> None:
    if as_json:
        print_json(state_json(state) | strays_json(strays))
        return
    console = SafeConsole()
    console.print(f"The sandbox ({state.label}, Kubernetes {state.version}) {_condition(state)}.", soft_wrap=True)
    table = Table("Process", "PID", "State")
    for process in state.processes:
        table.add_row(
            process.name, str(process.pid), Text("runs") if process.is_alive() else Text("ended", style="red")
        )
    console.print(table)
    console.print(f"export KUBECONFIG={state.kubeconfig}", soft_wrap=True)


def _condition(state: SandboxState) -> str:
    if state.is_running:
        return "is up"
    if not state.server:
        return "is being started, or its start was cut off"
    return "is broken: a process ended; `l4serve sandbox up` starts anew"


def state_json(state: SandboxState) -> dict[str, Any]:
    """A sandbox for machines: whether it runs, and what it is made of."""
    return {
        "running": state.is_running,
        "label": state.label,
        "kubernetes": state.version,
        "server": state.server,
        "kubeconfig": str(state.kubeconfig),
        "processes": [
            {"name": process.name, "pid": process.pid, "running": process.is_alive()} for process in state.processes
        ],
    }


def strays_json(strays: tuple[MarkedProcess, ...]) -> dict[str, Any]:
    """Nothing where there is none."""
    listed = [{"name": stray.identity.name, "pid": stray.identity.pid, "folder": str(stray.folder)} for stray in strays]
    return {"strays": listed} if listed else {}
