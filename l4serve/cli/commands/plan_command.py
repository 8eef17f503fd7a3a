"""l4serve plan: the resolved plan of a stack."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from l4serve.cli.answers.cost_text import cost_remarks, cost_table
from l4serve.cli.shell.messages import print_notes, refuse_input
from l4serve.cli.shell.output import SafeConsole, fenced, one_line, print_json, redacted, safe_text
from l4serve.cli.subjects.stack_options import FileOption, JsonOption, StackOption, load_plan
from l4serve.planning.stack.edits import find_edit
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.note import by_harm
from l4serve.planning.values.quantity import format_bytes, format_cpu
from l4serve.planning.workload.judgement.prospect import MOST_TOLD
from l4serve.planning.workload.workload_plan import WorkloadPlan


def plan(
    stack: StackOption = None,
    file: FileOption = None,
    edits: Annotated[bool, typer.Option("--edits", help="Show beside each field what an edit of it does.")] = False,
    as_json: JsonOption = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print plan and notes as one block of Markdown.")
    ] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report as one page to this file.")] = None,
) -> None:
    """Show what a stack comes to: workloads, engines, GPUs, memory and where the pods go."""
    if as_json and markdown:
        raise refuse_input("--json and --markdown are two forms; choose one of them")
    planned = load_plan(stack, file)
    if html is not None:
        _write_page(html, planned)
    if markdown:
        console = SafeConsole(file=io.StringIO(), width=SafeConsole().width)
        _print(planned, console, edits=edits)
        notes = "".join(
            f"{each.level}: {one_line(each.path)}: {one_line(each.text)}\n" for each in by_harm(planned.notes)
        )
        print(fenced(safe_text(notes) + console.file.getvalue()))  # type: ignore[attr-defined]
        return
    print_notes(planned)
    if as_json:
        print_json(stack_json(planned))
        return
    _print(planned, SafeConsole(), edits=edits)


def _write_page(path: Path, planned: StackPlan) -> None:
    """Imported here: a plan without a page loads neither."""
    from l4serve.cli.shell.page_file import write_page
    from l4serve.planning.difference.differ import diff_plans
    from l4serve.planning.difference.difference_json import difference_json
    from l4serve.report.page import plan_page

    document = difference_json("", [diff_plans(planned.stack, None, planned)])
    write_page(path, plan_page(redacted(document)))


def _print(planned: StackPlan, console: SafeConsole, *, edits: bool) -> None:
    console.print(_summary(planned))
    if planned.node_pools:
        console.print(_pools(planned))
    if len(planned.workloads) > MOST_TOLD:
        console.print(_lines(planned), soft_wrap=True)
    elif not planned.workloads:
        console.print("no workloads: the stack serves no model")
    else:
        console.print(_workloads(planned))
        console.print(_speeds(planned))
        for told in _assumed(planned):
            console.print(told)
        console.print(_starts(planned))
    console.print(cost_table(planned.cost))
    for remark in cost_remarks(planned.cost):
        console.print(remark)
    if edits:
        console.print(_edits(planned))
        console.print(_edit_notes(planned))


def _summary(plan: StackPlan) -> Text:
    cluster = plan.cluster
    where = f" in {cluster.location}" if cluster.location else ""
    name = cluster.name or "(by kubeconfig)"
    said = f": {cluster.mode} cluster {name}{where}, namespace {plan.namespace}"
    return Text.assemble((plan.stack, "bold"), said)


def _pools(plan: StackPlan) -> Table:
    table = Table("pool", "machine", "GPUs", "nodes", "how", "USD/h per node", title="Node pools", title_justify="left")
    for pool in plan.node_pools:
        nodes = f"{pool.size.min_nodes}..{pool.size.max_nodes}"
        price = pool.price
        cost = f"{price.usd_per_hour:.2f} ({price.region}, {price.date})" if price else "not stated"
        table.add_row(pool.name, pool.machine_type, str(pool.gpus), nodes, pool.supply.provisioning, cost)
    return table


def _lines(plan: StackPlan) -> str:
    """A line for each workload of a stack that has too many for tables."""
    head = f"{len(plan.workloads)} workloads, a line each; plan --json tells all of them\n"
    return head + "\n".join(map(_line, plan.workloads))


def _line(workload: WorkloadPlan) -> str:
    engine, where = workload.engine, " on ".join(_place(workload))
    parts = (workload.name, f"{engine.kind} {engine.version}", workload.model.id, where, _verdict(workload))
    return one_line(", ".join(parts))


def _workloads(plan: StackPlan) -> Table:
    table = Table(title="Workloads", title_justify="left", show_lines=True)
    table.add_column("workload", overflow="fold", max_width=18)
    for column in ("model and flags", "pod"):
        table.add_column(column, overflow="fold")
    table.add_column("memory per GPU", no_wrap=True)
    for workload in plan.workloads:
        table.add_row(*_row(workload))
    return table


def _speeds(plan: StackPlan) -> Table:
    """One pod for one user and with every place taken; `workloads.*.load` sets the lengths."""
    table = Table(title="Speed of one pod, and USD per million tokens", title_justify="left")
    table.add_column("workload", overflow="fold")
    for column in ("users", "first token", "per token", "tokens/s", "USD"):
        table.add_column(column, justify="right", no_wrap=True)
    for workload in plan.workloads:
        prospect = workload.prospect
        load = prospect.load_of(prospect.places)
        lengths = f"{load.input_tokens} in, {load.output_tokens} out{' (medians)' if load.crowd else ''}"
        cells: list[tuple[str, ...]] = []
        for clients, priced in ((1, prospect.one_user), (prospect.places, prospect.full_batch)):
            if not priced.speed.judged:
                cells = [("not judged", "", "", "", "")]
                break
            found = priced.speed.figures
            cost = priced.usd_per_million(found.output_tokens_per_second)
            cells.append(
                (
                    str(clients),
                    f"{found.ttft_ms:,.0f} ms",
                    "-" if found.itl_ms is None else f"{found.itl_ms:.1f} ms",
                    f"{found.output_tokens_per_second:,.0f}",
                    "-" if cost is None else f"{cost:.2f}",
                )
            )
        table.add_row(f"{workload.name}\n{lengths}", *("\n".join(column) for column in zip(*cells, strict=True)))
    return table


def _assumed(plan: StackPlan) -> Iterator[str]:
    """What speeds take for granted, each said once of all workloads of which it is so."""
    named: dict[str, list[str]] = {}
    for workload in plan.workloads:
        prospect = workload.prospect
        for told in dict.fromkeys((*prospect.one_user.speed.assumed, *prospect.full_batch.speed.assumed)):
            named.setdefault(told, []).append(workload.name)
    yield from (f"{', '.join(names)}: {told}" for told, names in named.items())


def _starts(plan: StackPlan) -> Table:
    """Phases from the wish for a pod to its first answer, on a new node."""
    table = Table(title="Estimated seconds until a new pod serves", title_justify="left")
    table.add_column("workload", overflow="fold")
    for column in ("node", "image", "weights", "load", "compile", "graphs", "engine", "total"):
        table.add_column(column, justify="right", no_wrap=True)
    for workload in plan.workloads:
        start = workload.lifecycle.start
        phases = (start.node, start.image, start.weights, start.load, start.compile, start.graphs, start.server)
        table.add_row(workload.name, *("?" if phase is None else str(phase) for phase in (*phases, start.total)))
    return table


def _edits(plan: StackPlan) -> Table:
    table = Table(title="Edits", title_justify="left")
    table.add_column("field", overflow="fold")
    table.add_column("an edit means", no_wrap=True)
    for path, effect in plan.edits:
        table.add_row(path, effect.text)
    return table


def _edit_notes(plan: StackPlan) -> str:
    """What an effect leaves out, such as the harder one of some values: once for all fields that share a row."""
    rows = dict.fromkeys(edit for path, _ in plan.edits if (edit := find_edit(path)) and edit.note)
    return "\n".join(f"{edit.path}: {edit.note}" for edit in rows)


def _row(workload: WorkloadPlan) -> tuple[str | Text, ...]:
    return (
        Text.assemble((workload.name, "bold"), f"\n{workload.engine.kind} {workload.engine.version}"),
        "\n".join(map(one_line, (workload.model.id, *workload.engine.argv[1:]))),
        _pod(workload),
        _memory(workload),
    )


def _pod(workload: WorkloadPlan) -> str:
    requests, (pods, pool) = workload.resources.requests, _place(workload)
    return (
        f"{pods}\n{pool}\n{format_cpu(requests.cpu_millis)} CPU\n"
        f"{format_bytes(requests.memory_bytes)}\ndisk {format_bytes(requests.ephemeral_bytes)}"
    )


def _place(workload: WorkloadPlan) -> tuple[str, str]:
    """How many pods of how many GPUs, and where they go."""
    placing = workload.placing
    pool = placing.node_pool or (f"class {placing.compute_class}" if placing.compute_class else "any node")
    return f"{_count(workload)} x {workload.layout.gpus} GPU", pool


def _count(workload: WorkloadPlan) -> str:
    scale = workload.scale
    return f"{scale.replicas}..{scale.most_replicas}" if scale.autoscaling else str(scale.replicas)


def _memory(workload: WorkloadPlan) -> str:
    fit, verdict = workload.judgement.fit, _verdict(workload)
    if fit is None:
        return verdict
    return f"{verdict}\nweights {fit.weights_gib:.1f} GiB\nKV {fit.kv_room_gib:.2f} GiB\n{fit.kv_cache_tokens:,} tokens"


def _verdict(workload: WorkloadPlan) -> str:
    fit = workload.judgement.fit
    if fit is None:
        return "not judged"
    return "tight" if fit.margin_is_uncertain else "fits" if fit.fits else "does not fit"
