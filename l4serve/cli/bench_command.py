"""l4serve bench: a load test of a stack's workload as a Job, and its report beside the estimate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from l4serve.cli.messages import refuse_input
from l4serve.cli.output import SafeConsole, print_json, say
from l4serve.cli.page_file import write_page
from l4serve.cli.project import project_root
from l4serve.cli.stack_options import FileOption, JsonOption, StackOption, WorkloadOption, load_plan
from l4serve.config.files import FileRefusedError, read_bytes
from l4serve.config.yaml_text import block
from l4serve.planning.performance.load import Load
from l4serve.planning.values.figures import shown
from l4serve.planning.workload.speed_question import subject_speed
from l4serve.verification.bench_job import bench_job
from l4serve.verification.bench_report import Line, ReportError, compare, plot, read_report

if TYPE_CHECKING:
    from l4serve.planning.stack.stack_plan import StackPlan
    from l4serve.planning.workload.workload_plan import WorkloadPlan

MOST_REPORT_BYTES = 2**26


def bench(
    stack: StackOption = None,
    file: FileOption = None,
    workload: WorkloadOption = None,
    concurrency: Annotated[int, typer.Option(min=1, max=20_000, help="Clients that each wait.")] = 8,
    rate: Annotated[float | None, typer.Option(min=1e-6, max=1e6, help="Requests a second, whoever waits.")] = None,
    input_tokens: Annotated[int | None, typer.Option(min=1, max=10_000_000, help="Tokens of a prompt.")] = None,
    output_tokens: Annotated[int | None, typer.Option(min=1, max=10_000_000, help="Tokens of an answer.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Apply the Job and wait for its report.")] = False,
    report: Annotated[Path | None, typer.Option(help="Read this report, or log, instead of a run.")] = None,
    plot_file: Annotated[Path | None, typer.Option("--plot", help="Draw both as an SVG.")] = None,
    timeout: Annotated[float, typer.Option(min=1, max=86_400, help="Seconds that a run may take.")] = 3600.0,
    run_kubeconfig_commands: Annotated[
        bool, typer.Option("--run-kubeconfig-commands", help="Let a kubeconfig that the stack names run commands.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Render a load test as a Job, or run it and compare it with the estimate."""
    plan = load_plan(stack, file)
    chosen = [w for w in plan.workloads if workload in (None, w.name)]
    if len(chosen) != 1:
        raise refuse_input(
            f"one workload is loaded at a time; name it with --workload: {', '.join(w.name for w in plan.workloads)}"
        )
    target = chosen[0]
    if target.model.purpose != "generate":
        served = target.model.purpose
        raise refuse_input(f"{target.name} serves {served}: it makes none of the text asked for; name another workload")
    expected = target.prospect.load
    load = Load(
        input_tokens=input_tokens or expected.input_tokens,
        output_tokens=output_tokens or expected.output_tokens,
        clients=None if rate is not None else concurrency,
        rate=rate,
        input_spread=0.0,
        output_spread=0.0,
    )
    manifest = bench_job(target, load)
    if not run and report is None:
        print_json(manifest) if as_json else say(block(manifest).rstrip("\n"))
        return
    text = _read(report) if report is not None else _run(plan, manifest, timeout, own=run_kubeconfig_commands)
    _compare(target, load, text, plot_file, as_json=as_json)


def _read(report: Path) -> str:
    try:
        return read_bytes(report, MOST_REPORT_BYTES).decode("utf-8", "replace")
    except FileRefusedError as error:
        raise refuse_input(f"{report}: the file {error}; give the report that the Job printed") from None


def _run(plan: StackPlan, manifest: dict[str, Any], timeout: float, *, own: bool) -> str:
    from l4serve.verification.bench_run import run_job
    from l4serve.verification.checks import CheckError
    from l4serve.verification.cluster_access import AccessError, stack_client

    try:
        client = stack_client(plan.cluster, plan.stack, project_root(), run_commands=own)
        return run_job(client, manifest, timeout=timeout)
    except (AccessError, CheckError) as error:
        refuse_input(str(error))
        raise typer.Exit(1) from None


def _compare(target: WorkloadPlan, load: Load, text: str, plot_file: Path | None, *, as_json: bool) -> None:
    try:
        measured = read_report(text)
    except ReportError as error:
        raise refuse_input(str(error)) from None
    prospect = target.prospect
    speed = subject_speed(prospect.subject, prospect.judgement, load)
    lines = compare(measured, speed)
    who = f"{load.clients} at a time" if load.rate is None else f"{load.rate:g} requests a second"
    title = f"{target.name}: {load.input_tokens} tokens in, {load.output_tokens} out, {who}"
    if plot_file is not None:
        write_page(plot_file, plot(title, lines), "--plot")
    if as_json:
        print_json({"workload": target.name, "lines": [_line_json(line) for line in lines]})
        return
    console = SafeConsole()
    console.print(title)
    console.print(_table(lines))
    for reason in speed.not_judged:
        console.print(f"not judged: {reason}")


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "figure": line.title,
        "measured": line.measured,
        "estimated": line.estimated,
        "low": line.low,
        "high": line.high,
        "error": line.error,
        "withinBound": line.within,
    }


def _table(lines: tuple[Line, ...]) -> Table:
    table = Table()
    table.add_column("figure")
    for heading in ("measured", "estimated", "error", "within the bound"):
        table.add_column(heading, justify="right")
    for line in lines:
        estimated = "-" if line.estimated is None else shown(line.estimated)
        error = "-" if line.error is None else f"{100 * line.error:+.1f} %"
        within = "-" if line.within is None else "yes" if line.within else "no"
        table.add_row(line.title, shown(line.measured), estimated, error, within)
    return table
