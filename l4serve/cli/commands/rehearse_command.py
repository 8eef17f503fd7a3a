"""l4serve rehearse: a stack on a real Kubernetes control plane with fake nodes, before it costs anything."""

from typing import Annotated

import typer

from l4serve.cli.answers.sandbox_view import (
    FAILED,
    print_rehearsal,
    readable_sandbox_errors,
    rehearsal_json,
    shown_progress,
)
from l4serve.cli.commands.render_command import render_stack
from l4serve.cli.shell.messages import print_notes, readable_refusals
from l4serve.cli.shell.output import SafeConsole, print_json
from l4serve.cli.subjects.stack_options import LONGEST_SECONDS, FileOption, JsonOption, StackOption, load
from l4serve.sandbox.planned_nodes import planned_autoscaler, planned_nodes
from l4serve.sandbox.rehearsal import Rehearsal, rehearse_objects

KeepOption = Annotated[bool, typer.Option("--keep", help="Leave the sandbox up; `l4serve sandbox down` ends it.")]
TimeoutOption = Annotated[
    float, typer.Option(min=1, max=LONGEST_SECONDS, help="Seconds that the pods may take to run.")
]


def rehearse(
    stack: StackOption = None,
    file: FileOption = None,
    keep: KeepOption = False,
    timeout: TimeoutOption = 120,
    as_json: JsonOption = False,
) -> None:
    """Try a stack on a real Kubernetes control plane with fake GPU nodes and say where every pod lands."""
    loaded = load(stack, file)
    with readable_refusals(loaded.file):
        rendered = render_stack(loaded)
    print_notes(rendered.plan)
    with readable_sandbox_errors(), shown_progress() as progress:
        rehearsal = rehearse_objects(
            rendered.objects,
            planned_nodes(rendered.plan),
            label=loaded.name,
            timeout_s=timeout,
            autoscaler=planned_autoscaler(rendered.plan),
            keep=keep,
            progress=progress,
        )
    _report(rehearsal, as_json=as_json)
    raise typer.Exit(0 if rehearsal.ok else FAILED)


def _report(rehearsal: Rehearsal, *, as_json: bool) -> None:
    if as_json:
        print_json(rehearsal_json(rehearsal))
        return
    console = SafeConsole()
    print_rehearsal(rehearsal, console)
    if rehearsal.kubeconfig is not None:
        console.print(f"The sandbox stays up: export KUBECONFIG={rehearsal.kubeconfig}", soft_wrap=True)
        console.print("It ends with: l4serve sandbox down")
