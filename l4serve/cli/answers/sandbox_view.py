"""How the sandbox shows itself: progress while it works, a table of what landed where, readable failures."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from rich import box
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as ProgressDisplay
from rich.table import Table
from rich.text import Text

from l4serve.cli.shell.messages import stderr
from l4serve.cli.shell.output import SafeConsole, one_line
from l4serve.cli.shell.verbosity import is_quiet
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.pod_locations import PodPlacement
from l4serve.sandbox.progress import Progress, silent
from l4serve.sandbox.rehearsal import Rehearsal

FAILED = 1
_MANY_PARTS = 1000
"""From here on a task is long enough for a line at each tenth."""
_PHASE_STYLES = {"Running": "green", "Succeeded": "green", "Pending": "yellow"}


@contextmanager
def readable_sandbox_errors() -> Iterator[None]:
    """Turns a failure of the sandbox into a message with its remedy, and exit code 1."""
    try:
        yield
    except SandboxError as error:
        stderr.print(Text("error: ", style="bold red") + Text(one_line(error.message)))
        if error.detail:
            stderr.print(Text(error.detail, style="dim"))
        if error.remedy:
            stderr.print(Text(f"fix: {error.remedy}"))
        raise typer.Exit(FAILED) from None


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A progress display on standard error; without a terminal a line per task and tenth of it, as a CI log wants."""
    console = SafeConsole(stderr=True)
    if is_quiet():
        yield silent
        return
    if not console.is_terminal:
        yield _line_per_task(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with ProgressDisplay(*columns, console=console, transient=True) as display:
        shown: dict[str, TaskID] = {}

        def update(task: str, done: int, total: int | None, /) -> None:
            """Each task is a row of its own, since the time left is told from that task's own pace."""
            if task not in shown:
                for finished in shown.values():
                    display.update(finished, visible=False)
                shown[task] = display.add_task(task, total=total)
            display.update(shown[task], completed=done, total=total)

        yield update


def _line_per_task(console: SafeConsole) -> Progress:
    said: set[str] = set()

    def update(task: str, done: int, total: int | None, /) -> None:
        tenth = done * 10 // total if total and total >= _MANY_PARTS else 0
        line = f"{task}: {tenth}0 %" if tenth else task
        if line not in said:
            said.add(line)
            console.print(line, highlight=False)

    return update


def print_rehearsal(rehearsal: Rehearsal, console: SafeConsole) -> None:
    """The table of pods, then why any of them does not run, then what the API server refused."""
    console.print(_placements_table(rehearsal))
    for (workload, reason), count in _reasons(rehearsal).items():
        pods = "1 pod does" if count == 1 else f"{count} pods do"
        console.print(Text(f"{workload}: {pods} not run: ", style="yellow") + Text(one_line(reason)))
    for failure in rehearsal.failures:
        console.print(Text(f"{failure.object} was refused: ", style="red") + Text(one_line(failure.reason)))
    console.print(_summary(rehearsal))


def rehearsal_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """The rehearsal for machines; keys as in the stack files' style."""
    return {
        "stack": rehearsal.label,
        "ok": rehearsal.ok,
        "kubernetes": rehearsal.version,
        "seconds": round(rehearsal.seconds, 1),
        "pods": [_placement_json(placement) for placement in rehearsal.placements],
        "failures": [{"object": failure.object, "reason": failure.reason} for failure in rehearsal.failures],
        "nodes": [
            {
                "name": node.name,
                "pool": node.pool,
                "machineType": node.machine_type,
                "zone": node.zone,
                "gpus": node.allocatable.gpus,
            }
            for node in rehearsal.nodes
        ],
        "kubeconfig": str(rehearsal.kubeconfig) if rehearsal.kubeconfig else None,
    }


def _placements_table(rehearsal: Rehearsal) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, title=f"{rehearsal.label} on Kubernetes {rehearsal.version}", title_justify="left"
    )
    table.add_column("Pod", overflow="fold")
    table.add_column("Node", overflow="fold")
    table.add_column("Machine", no_wrap=True)
    table.add_column("GPUs", justify="right")
    table.add_column("Phase", no_wrap=True)
    for placement in rehearsal.placements:
        table.add_row(
            placement.pod or f"{placement.workload} (none)",
            placement.node or "-",
            placement.machine_type or "-",
            str(placement.gpus),
            Text(placement.phase, style=_PHASE_STYLES.get(placement.phase, "red")),
        )
    return table


def _reasons(rehearsal: Rehearsal) -> Mapping[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for placement in rehearsal.placements:
        if placement.reason is not None:
            key = (placement.workload, placement.reason)
            counts[key] = counts.get(key, 0) + 1
    return counts


def _summary(rehearsal: Rehearsal) -> Text:
    running = sum(placement.ready for placement in rehearsal.placements)
    used = {placement.node for placement in rehearsal.placements if placement.node}
    text = (
        f"{running} of {len(rehearsal.placements)} pods run, on {len(used)} of {len(rehearsal.nodes)} "
        f"nodes ({rehearsal.seconds:.0f} s)"
    )
    return Text(text, style="bold green" if rehearsal.ok else "bold red")


def _placement_json(placement: PodPlacement) -> dict[str, Any]:
    return {
        "namespace": placement.namespace,
        "workload": placement.workload,
        "pod": placement.pod or None,
        "node": placement.node,
        "machineType": placement.machine_type,
        "zone": placement.zone,
        "gpus": placement.gpus,
        "phase": placement.phase,
        "ready": placement.ready,
        "reason": placement.reason,
    }
