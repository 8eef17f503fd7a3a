"""l4serve verify: does the server that runs keep what was planned for it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import SplitResult, urlsplit

import typer
from rich.text import Text

from l4serve.cli.project import folder_of, is_own, stack_path
from l4serve.cli.shell.messages import refuse_input, stderr
from l4serve.cli.shell.output import SafeConsole, one_line, print_json
from l4serve.cli.subjects.client_keys import API_KEY_VARIABLE, keys_of, server_key
from l4serve.cli.subjects.completion import complete_engine, complete_purpose, complete_release, complete_workload
from l4serve.cli.subjects.stack_options import (
    LONGEST_SECONDS,
    FileOption,
    JsonOption,
    RunCommandsOption,
    StackOption,
    load_plan,
    named_workloads,
)
from l4serve.config.words.spelling import one_of
from l4serve.engines.releases.profile import engine_kinds
from l4serve.engines.releases.resolution import ContractError, resolve_contract
from l4serve.planning.models.purpose import PURPOSES, Purpose

# The clients of the engines and of Kubernetes take a second to load; only this command needs them, when it runs.
if TYPE_CHECKING:
    from l4serve.verification.report import Report

CheckedOption = Annotated[
    str | None,
    typer.Option(
        "--workload", help="Workload of the stack to check; all where unset.", autocompletion=complete_workload
    ),
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option("--base-url", help="A running server, such as http://127.0.0.1:8000, instead of a stack."),
]
EngineOption = Annotated[
    str | None, typer.Option("--engine", help="Engine behind --base-url.", autocompletion=complete_engine)
]
VersionOption = Annotated[
    str | None,
    typer.Option("--engine-version", help="Its release, such as 0.26.0.", autocompletion=complete_release),
]
ModelOption = Annotated[str | None, typer.Option("--model", help="Name of its model; unset is what it lists.")]
LengthOption = Annotated[
    int | None,
    typer.Option("--max-model-len", min=1, max=10_000_000, help="Its context limit in tokens; unset is what it tells."),
]
ServesOption = Annotated[
    str | None,
    typer.Option(
        "--serves",
        help="What it answers with: generate, which is meant where unset, embed, score, classify, reward or token.",
        autocompletion=complete_purpose,
    ),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.1, max=LONGEST_SECONDS, help="Seconds that each check may take.")
]


def verify(
    stack: StackOption = None,
    file: FileOption = None,
    workload: CheckedOption = None,
    base_url: BaseUrlOption = None,
    engine: EngineOption = None,
    engine_version: VersionOption = None,
    model: ModelOption = None,
    max_model_len: LengthOption = None,
    serves: ServesOption = None,
    timeout: TimeoutOption = 60.0,
    run_kubeconfig_commands: RunCommandsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check a deployed stack, or one running server, against its plan and its engine's contract.

    Exits 1 when a check fails. A server behind a key gets the one in L4SERVE_API_KEY; where workloads have several,
    workload small-chat gets the one in L4SERVE_API_KEY_SMALL_CHAT.
    """
    if (stack is not None or file is not None) == (base_url is not None):
        raise refuse_input("one server is checked; name -s STACK, or --base-url URL with --engine and --engine-version")
    with _loopback_past_any_proxy():
        if base_url is None:
            if given := _given(engine, engine_version, model, max_model_len, serves):
                raise refuse_input(f"{given} goes with --base-url, and the plan of a stack says it; leave it out")
            trusted = run_kubeconfig_commands or is_own(stack_path(stack, file))
            _verify_stack(stack, file, workload, timeout, as_json, trusted=trusted)
        elif workload is not None:
            raise refuse_input("--workload is of a stack; name one with -s, or leave it out")
        else:
            promised = {"served_names": (model,) if model else (), "max_model_len": max_model_len}
            _verify_url(
                base_url,
                engine,
                engine_version,
                {**promised, "purpose": _purpose(serves or "generate")},
                timeout,
                as_json,
            )


def _verify_url(
    base_url: str,
    engine: str | None,
    version: str | None,
    promised: Mapping[str, Any],
    timeout: float,
    as_json: bool,
) -> None:
    from l4serve.verification.http_client import UnusableVariableError, require_usable_environment
    from l4serve.verification.promises import contract_target
    from l4serve.verification.server import verify_server
    from l4serve.verification.tgi_api import MissingClientError

    url = _checked_url(base_url)
    if engine is None or version is None:
        raise refuse_input("--base-url does not say what the server promises; add --engine and --engine-version")
    if engine not in engine_kinds():
        raise refuse_input(f"--engine {engine!r} is unknown; {one_of(engine, engine_kinds())}")
    try:
        resolved = resolve_contract(engine, version)
    except ContractError as error:
        raise refuse_input(str(error)) from None
    if resolved.note:
        stderr.print(f"note: {resolved.note}")
    target = contract_target(resolved.contract, version, base_url=url, timeout=timeout, api_key=server_key())
    target = replace(target, **promised)
    try:
        require_usable_environment(through_tunnel=False)
        with stderr.status(Text(f"checking {url}")):
            report = verify_server(target, url)
    except (MissingClientError, UnusableVariableError) as error:
        raise refuse_input(str(error)) from None
    _print(report.to_json() if as_json else None, (report,))


def _purpose(word: str) -> Purpose:
    found = next((purpose for purpose in PURPOSES if purpose == word), None)
    if found is None:
        raise refuse_input(f"--serves {word!r} is unknown; {one_of(word, PURPOSES)}")
    return found


def _verify_stack(
    stack: str | None, file: Path | None, named: str | None, timeout: float, as_json: bool, *, trusted: bool
) -> None:
    # A refused stack is told of before the clients are loaded.
    plan = load_plan(stack, file)
    from l4serve.verification.cluster_access import AccessError, stack_client
    from l4serve.verification.http_client import UnusableVariableError, require_usable_environment
    from l4serve.verification.promises import planned_target
    from l4serve.verification.report import combined_json
    from l4serve.verification.server import require_client
    from l4serve.verification.tgi_api import MissingClientError
    from l4serve.verification.workload_checks import verify_workload

    checked = named_workloads(plan, named)
    keys = keys_of(checked)
    reports = []
    try:
        for kind in dict.fromkeys(workload.engine.kind for workload in checked):
            require_client(kind)
        require_usable_environment(through_tunnel=True)
        client = stack_client(plan.cluster, plan.stack, folder_of(file), trusted=trusted)
        for workload in checked:
            target = planned_target(workload, timeout=timeout, api_key=keys.get(workload.name))
            with stderr.status(Text(f"checking {workload.name}")):
                reports.append(verify_workload(client, workload, target))
    except (AccessError, MissingClientError, UnusableVariableError) as error:
        raise refuse_input(str(error)) from None
    _print(combined_json(plan.stack, reports) if as_json else None, tuple(reports))


def _print(document: object, reports: "tuple[Report, ...]") -> None:
    if document is not None:
        print_json(document)
    else:
        console = SafeConsole()
        for report in reports:
            console.print(report.table())
            console.print(one_line(report.verdict()), soft_wrap=True)
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


def _given(engine: str | None, version: str | None, model: str | None, length: int | None, serves: str | None) -> str:
    of_server = {"--engine": engine, "--engine-version": version, "--model": model}
    options = {**of_server, "--max-model-len": length, "--serves": serves}
    return ", ".join(name for name, value in options.items() if value is not None)


def _checked_url(text: str) -> str:
    parts = _web_address(text)
    if parts is None:
        raise refuse_input(f"--base-url {text!r} is not the URL of a server; write it as http://127.0.0.1:8000")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise refuse_input(f"--base-url {text!r} has a path; leave it at {parts.scheme}://{parts.netloc}")
    if parts.username or parts.password:
        raise refuse_input(f"--base-url holds a user or password; give a key in {API_KEY_VARIABLE}")
    return f"{parts.scheme}://{parts.netloc}"


def _web_address(text: str) -> SplitResult | None:
    """The parts of a URL of a server; None where the text is not such a URL."""
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if valid else None


@contextmanager
def _loopback_past_any_proxy() -> Iterator[None]:
    """Keeps requests to this machine from going to a proxy that the environment names.

    Clients look at one of the two variables alone, so that one which is unset gets the hosts of the other.
    """
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    given = before["no_proxy"] or before["NO_PROXY"]
    for name, value in before.items():
        hosts = value or given or ""
        # Beside other hosts, some clients take the star for the name of one.
        any_host = "*" in map(str.strip, hosts.split(","))
        os.environ[name] = "*" if any_host else ",".join(filter(None, (hosts, "127.0.0.1", "localhost")))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
