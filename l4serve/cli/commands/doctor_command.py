"""l4serve doctor: what stands in a stack's way, and what repairs one whose last update was killed."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from l4serve.cli.project import is_own, project_root, stack_names, stack_path
from l4serve.cli.shell.messages import readable_refusals, refuse_input
from l4serve.cli.shell.output import one_line, print_json, say, tell
from l4serve.cli.subjects.stack_options import FileOption, JsonOption, RunCommandsOption, StackOption, load
from l4serve.config.reading.files import FileRefusedError, read_bytes, read_json
from l4serve.config.stack_file import PROJECT
from l4serve.planning.stack.pending import (
    HEALING,
    READING,
    PendingCreate,
    StateError,
    adopted,
    pending_changes,
    pending_creates,
    reapplied,
    wants_adopting,
)
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack

# The clients of Google and of Kubernetes take a second to load; only a stack that is asked about needs them.
if TYPE_CHECKING:
    from l4serve.verification.doctor_finding import Finding

NEEDS_HEALING = 1
MOST_STATE_BYTES = 8 * 2**20
"""Of an exported state, which has some kilobytes per resource."""


AdoptOption = Annotated[
    bool,
    typer.Option("--adopt", help="Print the exported state with what a killed update was making or changing in it."),
]
ReapplyOption = Annotated[
    bool,
    typer.Option("--reapply", help="Print the exported state so that pulumi up applies its Kubernetes objects again."),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Ask neither Google Cloud nor the cluster.")]


def doctor(
    state: Annotated[Path | None, typer.Argument(help="Exported state; unset reads what is piped in.")] = None,
    stack: StackOption = None,
    file: FileOption = None,
    offline: OfflineOption = False,
    adopt: AdoptOption = False,
    reapply: ReapplyOption = False,
    run_kubeconfig_commands: RunCommandsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what stands in a stack's way, before and after pulumi up: l4serve doctor -s STACK.

    Looks at programs, token, state lock, providers that outlived a killed CLI, login, project, APIs, roles, GPU quota,
    zones, pods that are Pending or refused, drivers and autoscalers. Without a stack, at what needs none: programs,
    state lock, login, gcloud's project, its APIs, the current cluster. Of an exported state it says how to repair a
    stack after a killed update: pulumi stack export | l4serve doctor. Exits 1 where something needs healing.
    """
    named = stack is not None or file is not None
    given = {"--json": as_json, "--offline": offline, "--run-kubeconfig-commands": run_kubeconfig_commands}
    unheard = "" if named else next((option for option, asked in given.items() if asked), "")
    exported = None if named or (unheard and state is not None) else _exported(state)
    if unheard and (state is not None or exported is not None):
        raise refuse_input(f"{unheard} is of a stack, and an exported state is read; name -s STACK, or leave it out")
    if exported is not None:
        _heal(exported, state, adopt=adopt, reapply=reapply)
        return
    if adopt or reapply:
        option = "--adopt" if adopt else "--reapply"
        raise refuse_input(f"{option} reads an exported state; run pulumi stack export | l4serve doctor {option}")
    if state is not None:
        raise refuse_input("an exported state and a stack are two questions; name one of them")
    if not named:
        from l4serve.verification.doctor_stackless import stackless_findings

        root = project_root()
        _tell(stackless_findings(root, PROJECT, stack_names(root), offline=offline), as_json=as_json)
        return
    loaded = load(stack, file)
    with readable_refusals(loaded.file):
        plan = plan_stack(loaded)
    trusted = run_kubeconfig_commands or is_own(stack_path(stack, file))
    _tell(_findings(plan, loaded.project, offline=offline, trusted=trusted), as_json=as_json)


def _tell(found: "Iterable[Finding]", *, as_json: bool) -> None:
    """Prints what was found; exits 1 where some of it needs healing."""
    findings = list(found)
    if as_json:
        from l4serve.verification.doctor_finding import findings_json

        print_json(findings_json(findings))
    else:
        for each in findings:
            tell(_line(each))
    if any(each.verdict == "bad" for each in findings):
        raise typer.Exit(NEEDS_HEALING)


def _findings(plan: StackPlan, project: str | None, *, offline: bool, trusted: bool) -> "Iterator[Finding]":
    """This machine first, then the cloud, then the cluster; each only where it can be asked."""
    from l4serve.verification.doctor_cloud import no_project
    from l4serve.verification.doctor_finding import unknown
    from l4serve.verification.doctor_local import local_findings
    from l4serve.verification.doctor_lock import state_lock
    from l4serve.verification.stray_providers import stray_findings

    yield from local_findings(plan)
    yield from stray_findings()
    if offline:
        yield state_lock(plan.stack, PROJECT, None, root=project_root())
        return
    name = plan.cluster.project or project
    if name is None:
        yield state_lock(plan.stack, PROJECT, None, root=project_root())
        yield no_project(plan)
    else:
        yield from _cloud(plan, name)
    from l4serve.verification.cluster_access import AccessError, stack_client
    from l4serve.verification.doctor_cluster import cluster_findings

    try:
        client = stack_client(plan.cluster, plan.stack, project_root(), trusted=trusted)
    except AccessError as error:
        said, _, fix = str(error).partition("\n    fix: ")
        yield unknown("cluster", said, fix)
        return
    yield from cluster_findings(plan, client)


def _cloud(plan: StackPlan, project: str) -> "Iterator[Finding]":
    from l4serve.verification.doctor_cloud import cloud_findings
    from l4serve.verification.doctor_finding import bad, ok
    from l4serve.verification.doctor_lock import state_lock
    from l4serve.verification.google_apis import LoginError, google_apis

    try:
        apis = google_apis()
    except LoginError as error:
        yield state_lock(plan.stack, PROJECT, None, root=project_root())
        yield bad(error.subject, error.text, error.remedy)
        return
    yield state_lock(plan.stack, PROJECT, apis, root=project_root())
    yield ok("login", "application default credentials")
    yield from cloud_findings(plan, project, apis)


def _line(finding: "Finding") -> str:
    remedy = f"\n        fix: {one_line(finding.remedy)}" if finding.remedy else ""
    return f"{finding.verdict:<8}{one_line(finding.subject)}: {one_line(finding.text)}{remedy}"


def _exported(file: Path | None) -> bytes | None:
    """The state that a file or standard input gives; None where none is named, and nobody pipes one in."""
    try:
        content = _content(file)
    except FileRefusedError as error:
        raise _no_state(file, error) from None
    return content if file is not None or content.strip() else None


def _no_state(file: Path | None, error: FileRefusedError | StateError) -> typer.Exit:
    it = "it " if isinstance(error, FileRefusedError) else ""
    return refuse_input(f"{file or 'standard input'}: {it}{error}; give what pulumi stack export prints")


def _heal(content: bytes, file: Path | None, *, adopt: bool, reapply: bool) -> None:
    """What repairs a stack whose update was killed, from its exported state."""
    try:
        state = read_json(content)
        found, changing = pending_creates(state), pending_changes(state)
    except (FileRefusedError, StateError) as error:
        raise _no_state(file, error) from None
    if adopt or reapply:
        healed = adopted(state) if adopt else state
        # As it was read: a redacted word would be another state.
        print(json.dumps(reapplied(healed) if reapply else healed, indent=4))
        return
    from l4serve.verification.stray_providers import stray_findings

    strays = list(stray_findings())
    for stray in strays:
        tell(_line(stray))
    if not found and not changing:
        from l4serve.cli.answers.left_on_cluster import tell_what_is_left

        if tell_what_is_left(state) or strays:
            raise typer.Exit(NEEDS_HEALING)
        return
    for each in found:
        say(f"{one_line(each.urn)}\n    {_fate(each)}")
    for urn in changing:
        say(f"{one_line(urn)}\n    read again by pulumi refresh, as its change was cut off")
    say(f"Heal it with: pulumi cancel; {HEALING if wants_adopting(state) else READING}")
    say("To end the stack, run pulumi destroy in place of pulumi up, after the commands before it.")
    raise typer.Exit(NEEDS_HEALING)


def _fate(pending: PendingCreate) -> str:
    if pending.import_id:
        return f"adopted as {one_line(pending.import_id)}"
    if pending.ends:
        return f"left by a destroy since; delete it, if it is there: {one_line(pending.ends)}"
    again = "made again by pulumi up"
    if pending.left:
        return f"{again}; to go back without it, if it is this stack's: {one_line(pending.left)}"
    return f"{again}; then delete a twin, if there is one: {one_line(pending.twins)}" if pending.twins else again


def _content(state: Path | None) -> bytes:
    """The exported state, within its limit; a terminal has none, and is not waited for. Raises FileRefusedError."""
    if state is not None:
        return read_bytes(state, MOST_STATE_BYTES)
    if sys.stdin is None or sys.stdin.isatty():
        return b""
    content = sys.stdin.buffer.read(MOST_STATE_BYTES + 1)
    if len(content) > MOST_STATE_BYTES:
        raise FileRefusedError(f"is larger than {MOST_STATE_BYTES // 2**20} MiB")
    return content
