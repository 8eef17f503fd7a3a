"""What a doctor can say of no stack: this machine, the backend, gcloud's project, the current cluster."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from l4serve.verification.cluster_access import AccessError, kubeconfig_client
from l4serve.verification.doctor_cloud import first_apis, project_finding, services_finding
from l4serve.verification.doctor_cluster import current_cluster
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown
from l4serve.verification.doctor_local import programs
from l4serve.verification.doctor_lock import state_lock
from l4serve.verification.gcloud_config import gcloud_project
from l4serve.verification.google_apis import ApiError, GoogleApis, LoginError, google_apis
from l4serve.verification.stray_providers import stray_findings

_ANY = "STACK"


def stackless_findings(root: Path, project: str, stacks: Sequence[str], *, offline: bool) -> Iterator[Finding]:
    """Findings that need no stack; `project` is Pulumi's, in the folder `root`, and `stacks` are those that it has."""
    yield _named_none(stacks)
    yield from programs()
    yield from stray_findings()
    if offline:
        yield from _locks(root, project, stacks, None)
        yield _not_asked(gcloud_project(), "offline")
        return
    try:
        apis = google_apis()
    except LoginError as error:
        yield from _locks(root, project, stacks, None)
        yield bad(error.subject, error.text, error.remedy)
        yield _not_asked(gcloud_project(), "without a login")
    else:
        yield from _locks(root, project, stacks, apis)
        yield ok("login", "application default credentials")
        yield from _cloud(gcloud_project(), apis)
    yield from _cluster()


def _named_none(stacks: Sequence[str]) -> Finding:
    unseen = "none is named, so token, roles, GPU quota, zones and pods are not looked at"
    fix = (
        f"name one of the stacks here: l4serve doctor -s {stacks[0]}" if stacks else "l4serve init writes a stack file"
    )
    return unknown("stack", unseen, f"{fix} (of {', '.join(stacks)})" if len(stacks) > 1 else fix)


def _locks(root: Path, project: str, stacks: Sequence[str], apis: GoogleApis | None) -> Iterator[Finding]:
    """A finding of each stack, those that say the same once."""
    found = {each.text: each for each in (state_lock(name, project, apis, root=root) for name in stacks or (_ANY,))}
    yield from found.values()


def _not_asked(project: str | None, why: str) -> Finding:
    if project is None:
        return _no_project()
    return unknown("project", f"gcloud's config names {project}; {why}, neither it nor its APIs are asked about")


def _no_project() -> Finding:
    return unknown("project", "gcloud's config names none", "gcloud config set project PROJECT, or name a stack by -s")


def _cloud(project: str | None, apis: GoogleApis) -> Iterator[Finding]:
    if project is None:
        yield _no_project()
        return
    found, names = project_finding(project, apis, "gcloud config set project PROJECT")
    yield found
    if not names:
        return
    try:
        yield services_finding(first_apis(), project, apis)
    except ApiError as error:
        yield unknown("services", f"{error}")


def _cluster() -> Iterator[Finding]:
    """The cluster of the current context, which is the user's own: its command for a credential may run."""
    try:
        client = kubeconfig_client(None, None, _ANY)
    except AccessError as error:
        said = str(error).partition("\n    fix: ")[0]
        fix = "KUBECONFIG=FILE, or gcloud container clusters get-credentials NAME --location LOCATION"
        yield unknown("cluster", said, fix)
        return
    yield from current_cluster(client)
