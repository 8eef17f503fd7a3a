"""What this machine says of a stack before the cloud is asked: programs, the lock of its state, its token."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from l4serve.planning.stack.stack_plan import TOKEN_WAYS, StackPlan
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown

Which = Callable[[str], str | None]
_PLUGIN = "gke-gcloud-auth-plugin"


def local_findings(plan: StackPlan, project: str, which: Which = shutil.which) -> Iterator[Finding]:
    """Programs on PATH, the token that gated models want, and a lock that a killed update left; reads no network."""
    yield _program("pulumi", "install the Pulumi CLI: https://www.pulumi.com/docs/iac/download-install/", which)
    if plan.cluster.managed is not None or plan.cluster.looked_up:
        fix = "gcloud components install gke-gcloud-auth-plugin, or the package of that name"
        yield _program(_PLUGIN, fix, which)
    if plan.token_missing:
        gated = ", ".join(plan.token_missing)
        yield bad("token", f"the models of {gated} are gated, and the stack has no token", TOKEN_WAYS)
    else:
        yield ok("token", "every gated model has one, or none is gated")
    yield _lock(plan.stack, project)


def _program(name: str, fix: str, which: Which) -> Finding:
    found = which(name)
    return ok(name, found) if found else bad(name, "it is not on PATH", fix)


def _lock(stack: str, project: str) -> Finding:
    """The lock of a state in files; a service keeps its own and says so itself."""
    backend = _backend()
    if backend is None:
        return bad("state lock", "Pulumi is logged in to no place for states", "pulumi login, or PULUMI_BACKEND_URL")
    if not backend.startswith("file://"):
        return unknown("state lock", "the state lies with a service, which tells of a lock by itself")
    root = backend.removeprefix("file://")
    folder = Path(root).expanduser() / ".pulumi" / "locks" / "organization" / project / stack
    locks = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not locks:
        return ok("state lock", f"none in {folder}")
    return bad(
        "state lock",
        f"{len(locks)} in {folder}: an update runs, or was killed",
        f"if none runs: pulumi cancel -s {stack}; pulumi stack export | l4serve doctor says what else it left",
    )


def _backend() -> str | None:
    """Where Pulumi keeps states: its variable, else what it logged in to last."""
    if url := os.environ.get("PULUMI_BACKEND_URL"):
        return url
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        current = json.loads((home / "credentials.json").read_text("utf-8")).get("current")
    except (OSError, ValueError, AttributeError):
        return None
    return current if isinstance(current, str) else None
