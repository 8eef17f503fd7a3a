"""l4serve check: what breaks if a stack's engines move to another version?"""

from collections.abc import Collection
from typing import Annotated

import typer

from l4serve.cli.answers.check_text import check_json, print_check
from l4serve.cli.shell.messages import readable_refusals, refuse_input
from l4serve.cli.shell.output import SafeConsole, print_json
from l4serve.cli.subjects.completion import complete_release
from l4serve.cli.subjects.stack_options import FileOption, JsonOption, StackOption, load
from l4serve.config.stack_file import Stack
from l4serve.engines.releases.contract_names import named_contract
from l4serve.engines.releases.resolution import ContractError, ResolvedContract
from l4serve.planning.stack.version_move import version_move


def check(
    stack: StackOption = None,
    file: FileOption = None,
    engine_version: Annotated[
        str | None,
        typer.Option(
            help="Release to move to, such as 0.33.0, vllm-0.33.0 or tgi-3.3.7.", autocompletion=complete_release
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what breaks if the engines move to another version: flags, metrics, rules and memory, side by side.

    Without a version each workload is checked against its own. Exit status: 0 nothing breaks, 1 something does,
    2 bad input.
    """
    loaded = load(stack, file)
    target = _target(loaded, engine_version) if engine_version else None
    with readable_refusals(loaded.file):
        moved = version_move(loaded, target)
    if as_json:
        print_json(check_json(loaded.name, engine_version, moved))
    else:
        print_check(loaded.name, moved, SafeConsole())
    raise typer.Exit(1 if any(one.breaks for one in moved) else 0)


def _target(stack: Stack, text: str) -> ResolvedContract:
    kinds = {workload.engine.kind for workload in stack.config.workloads.values()}
    if not kinds:
        raise refuse_input(f"{stack.name} has no workload to move to {text}; add one under workloads")
    try:
        target = named_contract(text)
    except ContractError as error:
        raise refuse_input(_of_own_engine(kinds, text) or str(error)) from None
    engine = target.contract.engine
    if engine not in kinds:
        known = " or ".join(sorted(kinds))
        raise refuse_input(f"no workload of {stack.name} runs on {engine} to move to {text}; name a release of {known}")
    return target


def _of_own_engine(kinds: Collection[str], text: str) -> str:
    """Why the stack's one engine has no such release; empty where a stack has several, or the text names one."""
    if len(kinds) != 1 or not text[:1].isdigit():
        return ""
    try:
        named_contract(f"{next(iter(kinds))}-{text}")
    except ContractError as error:
        return str(error)
    return ""
