"""l4serve bench: a load test of a stack's workload as a Job, and its report beside the estimate."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from l4serve.advising.load_share import share_of, times_of, together
from l4serve.cli.project import is_own, project_root, stack_path
from l4serve.cli.shell.messages import refuse_input
from l4serve.cli.shell.output import SafeConsole, print_json, say
from l4serve.cli.shell.page_file import write_page
from l4serve.cli.subjects.question_options import MOST_CLIENTS, MOST_TOKENS
from l4serve.cli.subjects.stack_options import (
    LONGEST_SECONDS,
    FileOption,
    JsonOption,
    RunCommandsOption,
    StackOption,
    WorkloadOption,
    load_plan,
    one_workload,
)
from l4serve.config.frozen import frozen
from l4serve.config.reading.files import FileRefusedError, read_bytes
from l4serve.config.reading.yaml_text import block
from l4serve.planning.performance.load import Load
from l4serve.planning.stack.speed_json import rounded
from l4serve.planning.values.figures import counted, shown
from l4serve.planning.workload.judgement.speed_question import subject_speed
from l4serve.verification.bench_job import DEADLINE_SECONDS, bench_job, shortest_seconds
from l4serve.verification.bench_report import Line, ReportError, compare, load_of, plot, read_report

if TYPE_CHECKING:
    from l4serve.planning.stack.stack_plan import StackPlan
    from l4serve.planning.workload.workload_plan import WorkloadPlan

MOST_REPORT_BYTES = 2**26
CLIENTS = 8
AT_ONCE = (
    "first token: clients that ask at the same moment wait for HTTP and the load tool too, some 1.6 ms for each of "
    "them, which the estimate leaves out"
)
CLOSE = 0.1
"""How far a report's lengths or rate may lie from those that were asked for: a tokenizer counts its own tokens."""


def bench(
    stack: StackOption = None,
    file: FileOption = None,
    workload: WorkloadOption = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=MOST_CLIENTS, help="Clients that each wait for their answer; unsaid: 8.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=1e-6, max=1e6, help="Requests that come in a second, whoever still waits.")
    ] = None,
    input_tokens: Annotated[int | None, typer.Option(min=1, max=MOST_TOKENS, help="Tokens of a prompt.")] = None,
    output_tokens: Annotated[int | None, typer.Option(min=1, max=MOST_TOKENS, help="Tokens of an answer.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Apply the Job and wait for its report.")] = False,
    report: Annotated[Path | None, typer.Option(help="Read this report or log instead of running the Job.")] = None,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", help="Draw measurement and estimate into this SVG.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=1, max=LONGEST_SECONDS, help="Seconds that a run may take; unsaid: 3600.")
    ] = None,
    run_kubeconfig_commands: RunCommandsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Render a load test as a Job, or run it and compare it with the estimate."""
    _refuse_unheard(dict(locals()))
    plan = load_plan(stack, file)
    target = one_workload(plan, workload)
    if target.model.purpose != "generate":
        served = target.model.purpose
        raise refuse_input(f"{target.name} serves {served}: it makes none of the text asked for; name another workload")
    asked = _Asked(concurrency, rate, input_tokens, output_tokens)
    if report is not None:
        measured = _measured(_read(report))
        _compare(
            target, _load(target, asked.beside(load_of(measured)), of_report=True), measured, plot_file, as_json=as_json
        )
        return
    load = _load(target, asked)
    seconds = DEADLINE_SECONDS if timeout is None else timeout
    if (least := shortest_seconds(load)) > seconds:
        raise refuse_input(_too_slow(load, least))
    manifest = bench_job(target, load, ceil(seconds))
    if run:
        trusted = run_kubeconfig_commands or is_own(stack_path(stack, file))
        measured = _run(plan, manifest, seconds, trusted=trusted)
        _compare(target, load, measured, plot_file, as_json=as_json)
        return
    print_json(manifest) if as_json else say(block(manifest).rstrip("\n"))


def _refuse_unheard(asked: Mapping[str, Any]) -> None:
    """Exits 2 for options that contradict each other, or that nothing would hear."""
    run, read = asked["run"], asked["report"] is not None
    if asked["concurrency"] is not None and asked["rate"] is not None:
        raise refuse_input("a load is a number of clients or a rate; give either --concurrency or --rate")
    if run and read:
        raise refuse_input("a report is made by a run or read from a file; give either --run or --report")
    if asked["plot_file"] is not None and not (run or read):
        raise refuse_input("--plot draws a report beside the estimate; give --report FILE, or --run")
    if asked["run_kubeconfig_commands"] and not run:
        raise refuse_input("--run-kubeconfig-commands is of a run; give --run, or leave it out")
    if asked["timeout"] is not None and read:
        raise refuse_input("--timeout is of a run; leave it out beside --report")


def _too_slow(load: Load, seconds: float) -> str:
    longer = f"give --timeout {ceil(2 * seconds)}, or a higher --rate"
    mend = longer if 2 * seconds <= LONGEST_SECONDS else "give a higher --rate"
    return f"at {load.rate:g} requests a second the load takes {seconds:,.0f} s, longer than the Job may run; {mend}"


@frozen()
class _Asked:
    """A load as options ask for it; what they leave unsaid is None."""

    clients: int | None
    rate: float | None
    input_tokens: int | None
    output_tokens: int | None

    def beside(self, reported: Mapping[str, float]) -> _Asked:
        """The load that a report says it was made under; exits 2 where an option says another one."""
        said = {"--concurrency": self.clients, "--rate": self.rate}
        if any(said.values()) and (other := [option for option in reported if option in said and not said[option]]):
            raise refuse_input(f"the report was made under {_shown(reported, other)}; leave the other load out")
        lengths = {"--input-tokens": self.input_tokens, "--output-tokens": self.output_tokens}
        for option, value in {**said, **lengths}.items():
            if value is not None and abs(value - reported.get(option, value)) > CLOSE * value:
                raise refuse_input(f"the report was made under {_shown(reported, [option])}; leave {option} out")
        found = {option: reported.get(option, value) for option, value in {**said, **lengths}.items()}
        clients, rate, prompt, answer = found.values()
        if clients is not None and clients > MOST_CLIENTS:
            raise refuse_input(f"the report names {clients:g} clients, above {MOST_CLIENTS}; give the report of a run")
        return _Asked(
            None if clients is None else int(clients),
            rate,
            None if prompt is None else int(prompt),
            None if answer is None else int(answer),
        )


def _shown(reported: Mapping[str, float], options: list[str]) -> str:
    return " ".join(f"{option} {reported[option]:g}" for option in options)


def _load(target: WorkloadPlan, asked: _Asked, *, of_report: bool = False) -> Load:
    """The load that is asked for, or of a report; exits 2 where its requests are longer than the workload's context."""
    expected, fit = target.prospect.load, target.judgement.fit
    prompt, answer = asked.input_tokens or expected.input_tokens, asked.output_tokens or expected.output_tokens
    if fit is not None and prompt + answer > fit.max_model_len:
        longest = fit.max_model_len
        shorter = f"give --input-tokens and --output-tokens of {longest} together"
        measured = "name by --workload, or by -s, what the report was measured on"
        raise refuse_input(
            f"a request of {prompt + answer} tokens is longer than the context of {longest} of {target.name}; "
            f"{measured if of_report else shorter}"
        )
    return Load(
        input_tokens=prompt,
        output_tokens=answer,
        clients=None if asked.rate is not None else asked.clients or CLIENTS,
        rate=asked.rate,
    )


def _measured(text: str) -> Mapping[str, Any]:
    try:
        return read_report(text)
    except ReportError as error:
        raise refuse_input(str(error)) from None


def _read(report: Path) -> str:
    try:
        return read_bytes(report, MOST_REPORT_BYTES).decode("utf-8", "replace")
    except FileRefusedError as error:
        raise refuse_input(f"{report}: the file {error}; give the report that the Job printed") from None


def _run(plan: StackPlan, manifest: dict[str, Any], timeout: float, *, trusted: bool) -> Mapping[str, Any]:
    from l4serve.verification.bench_run import run_job
    from l4serve.verification.checks import CheckError
    from l4serve.verification.cluster_access import AccessError, stack_client

    try:
        client = stack_client(plan.cluster, plan.stack, project_root(), trusted=trusted)
        return read_report(run_job(client, manifest, timeout=timeout))
    except (AccessError, CheckError) as error:
        refuse_input(str(error))
    except ReportError as error:
        said = str(error).partition(";")[0]
        name = manifest["metadata"]["name"]
        refuse_input(f"Job {name} ended, but its log holds no report: {said}; look at the server by l4serve verify")
    raise typer.Exit(1)


def _compare(
    target: WorkloadPlan, load: Load, measured: Mapping[str, Any], plot_file: Path | None, *, as_json: bool
) -> None:
    prospect, pods = target.prospect, max(1, target.scale.replicas)
    part = share_of(load, pods)
    speed = subject_speed(prospect.subject, prospect.judgement, part)
    times = times_of(load, pods)
    said = (together(each, times) for each in (speed.figures, speed.low, speed.high))
    lines = compare(measured, *said, rate_is_given=load.rate is not None)
    who = f"{load.clients} at a time" if load.rate is None else f"{load.rate:g} requests a second"
    title = f"{target.name}: {load.input_tokens} tokens in, {load.output_tokens} out, {who}"
    if plot_file is not None:
        write_page(plot_file, plot(title, lines), "--plot")
    if as_json:
        print_json({"workload": target.name, "pods": pods, "lines": [_line_json(line) for line in lines]})
        return
    console = SafeConsole()
    console.print(title)
    console.print(_table(lines))
    if pods > 1 or target.scale.autoscaling is not None:
        console.print(_dealt_out(target, part, pods))
    if load.rate is None and (load.clients or 0) > 1:
        console.print(AT_ONCE)
    for reason in speed.not_judged:
        console.print(f"not judged: {reason}")


def _dealt_out(target: WorkloadPlan, part: Load, pods: int) -> str:
    """What the estimate takes for granted of a Service with several pods behind it."""
    each = counted(part.clients or 0, "client") if part.rate is None else f"{part.rate:g} requests a second"
    told = f"assumed: {counted(pods, 'pod')} with {each} each, as the Service deals them out"
    return told if target.scale.autoscaling is None else f"{told}; the autoscaler makes no more meanwhile"


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "figure": line.title,
        "measured": rounded(line.measured),
        "estimated": rounded(line.estimated),
        "low": rounded(line.low),
        "high": rounded(line.high),
        "error": rounded(line.error),
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
