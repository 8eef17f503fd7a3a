"""l4serve contract: what an engine release accepts, and what changed between two."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from l4serve.cli.shell.json_form import json_form
from l4serve.cli.shell.messages import refuse_input, stderr
from l4serve.cli.shell.output import SafeConsole, print_json, say
from l4serve.cli.shell.tables import wrapped
from l4serve.cli.subjects.completion import complete_engine, complete_flag, complete_release
from l4serve.cli.subjects.stack_options import JsonOption
from l4serve.config.words.spelling import one_of
from l4serve.engines.releases.contract import Contract, contract_versions
from l4serve.engines.releases.contract_diff import Change, ContractDiff, diff_contracts
from l4serve.engines.releases.contract_names import named_contract
from l4serve.engines.releases.flags import Flag
from l4serve.engines.releases.profile import engine_kinds
from l4serve.engines.releases.resolution import ContractError
from l4serve.engines.rules import rules

contract_app = typer.Typer(
    help="What an engine release accepts, and what changed between two.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

ContractName = Annotated[
    str, typer.Argument(help="Release, such as vllm-0.26.0, tgi-3.3.7 or 0.26.0.", autocompletion=complete_release)
]


def find_contract(name: str) -> Contract:
    """The contract of that name; exits 2 where there is none."""
    try:
        resolved = named_contract(name)
    except ContractError as error:
        raise refuse_input(str(error)) from None
    if resolved.note:
        stderr.print(f"note: {resolved.note}")
    return resolved.contract


@contract_app.command("list")
def list_contracts(as_json: JsonOption = False) -> None:
    """The releases that have a contract of their own."""
    known = {engine: contract_versions(engine) for engine in engine_kinds()}
    if as_json:
        print_json(known)
        return
    for engine, versions in known.items():
        say(f"{engine}: {', '.join(versions)}")


@contract_app.command("rules")
def list_rules(
    engine: Annotated[
        str | None, typer.Option(help="Only the rules of this engine: vllm or tgi.", autocompletion=complete_engine)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The rules by which settings are judged, each with its source; `allow` overrides one by its id."""
    if engine is not None and engine not in engine_kinds():
        raise refuse_input(f"there is no engine {engine!r}; {one_of(engine, engine_kinds())}")
    chosen = [rule for rule in rules() if engine in (None, rule.engine)]
    if as_json:
        print_json(json_form(chosen))
        return
    columns = ("rule", "verdict", "versions", "what it says", "source")
    table = Table(*(Column(name, overflow="fold") for name in columns), show_lines=True)
    for rule in chosen:
        said = rule.reason + (f"\nthe engine: {rule.refusal}" if rule.refusal else "")
        table.add_row(rule.id, rule.verdict, rule.versions, said, rule.source)
    SafeConsole().print(table)


@contract_app.command()
def show(
    name: ContractName,
    flag: Annotated[
        str | None, typer.Option(help="Only flags whose name has this part.", autocompletion=complete_flag)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The flags, metrics, paths and shutdown behaviour of a release."""
    contract = find_contract(name)
    flags = {n: f for n, f in contract.flags.items() if flag is None or any(flag in name for name in f.spellings)}
    if not flags:
        raise refuse_input(f"{contract.name} has no flag with {flag!r} in its name; leave --flag out to see them all")
    if as_json:
        print_json(_as_json(contract, flags))
        return
    console = SafeConsole()
    console.print(Text.assemble((contract.name, "bold"), f"  image {contract.image}"))
    where = f"port {contract.port}, health {contract.health_path}, token in {' and '.join(contract.token_envs)}"
    console.print(where)
    table = Table(*(Column(name, overflow="fold") for name in ("flag", "type", "default", "values", "note")))
    for entry in flags.values():
        values = ", ".join(entry.choices or entry.values or ())
        default = "" if entry.default is None else str(entry.default)
        table.add_row("\n".join(entry.spellings), entry.type.replace("_", " "), default, values, entry.deprecated or "")
    console.print(table)
    if flag is None:
        console.print("metrics by default: " + ", ".join(sorted(contract.always_metrics)))
        console.print(f"shutdown: {contract.shutdown.signal}; {contract.shutdown.note}")


def _as_json(contract: Contract, flags: dict[str, Flag]) -> dict[str, object]:
    return {
        "name": contract.name,
        "image": contract.image,
        "port": contract.port,
        "tokenEnv": contract.token_env,
        "flags": json_form(flags),
        "env": contract.env,
        "metrics": {name: contract.metrics[name] for name in sorted(contract.metrics)},
        "alwaysMetrics": sorted(contract.always_metrics),
        "paths": contract.paths,
        "shutdown": json_form(contract.shutdown),
        "batchLimits": json_form(contract.batch_limits),
        "autoscalingMetrics": dict(contract.autoscaling_metrics),
    }


@contract_app.command()
def diff(before: ContractName, after: ContractName, as_json: JsonOption = False) -> None:
    """What changed between two releases of one engine."""
    first, second = find_contract(before), find_contract(after)
    if first.engine != second.engine:
        raise refuse_input(f"{first.name} and {second.name} are different engines; name two releases of one")
    changes = diff_contracts(first, second)
    if as_json:
        print_json(json_form(changes))
        return
    _print_diff(changes, SafeConsole(soft_wrap=True))


def _print_diff(changes: ContractDiff, console: SafeConsole) -> None:
    for line in _lines_of(changes):
        console.print(wrapped(line, console.width, "    "))


def _lines_of(changes: ContractDiff) -> Iterator[Text]:
    yield Text(f"{changes.before} -> {changes.after}", style="bold")
    removed = {"flag": changes.flags_removed, "variable": changes.env_removed, "metric": changes.metrics_removed}
    for kind, removals in removed.items():
        for gone in removals:
            yield Text.assemble(("-", "red"), f" {kind} {gone.name}: {gone.advice}")
    for change in changes.flags_changed:
        yield Text.assemble(("~", "yellow"), f" flag {change.flag}: {change.what} {_told(change)}")
    added = {"flag": changes.flags_added, "variable": changes.env_added, "metric": changes.metrics_added}
    for kind, names in added.items():
        for name in names:
            yield Text.assemble(("+", "green"), f" {kind} {name}")
    models = f"models: {len(changes.architectures_added)} more, {len(changes.architectures_removed)} fewer"
    yield Text(f"{models}; paths: {len(changes.paths_added)} more, {len(changes.paths_removed)} fewer")


def _told(change: Change) -> str:
    """What came and went of a list, before and after of anything else."""
    if not isinstance(change.before, tuple) or not isinstance(change.after, tuple):
        return f"{_plain(change.before)} -> {_plain(change.after)}"
    gone = [f"-{value}" for value in change.before if value not in change.after]
    return " ".join(gone + [f"+{value}" for value in change.after if value not in change.before]) or "in another order"


def _plain(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else "unset" if value is None else str(value)
