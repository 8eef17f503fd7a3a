"""The lock that an update holds on a stack's state, and what a killed one leaves of both: in files, or in a bucket."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from l4serve.config.files import FileRefusedError, read_bytes
from l4serve.config.yaml_reader import YamlError, read_yaml
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown
from l4serve.verification.google_apis import ApiError, GoogleApis

_SUBJECT = "state lock"
_MOST_PROJECT_BYTES = 2**20
_STATE_ENDINGS = (".json", ".json.gz", ".json.zst")
"""Of a state file, plain or as PULUMI_DIY_BACKEND_GZIP and its kin have it written."""


def state_lock(stack: str, project: str, apis: GoogleApis | None, *, root: Path) -> Finding:
    """Whether the state of a stack is locked, as far as its backend can be read; `apis` are None without a login.

    `root` is the folder of Pulumi.yaml, which may name the backend. A service keeps locks of its own and tells of them.
    """
    backend = _backend(root)
    if backend is None:
        return bad(
            _SUBJECT, "Pulumi is not logged in to a backend, which keeps states", "pulumi login, or PULUMI_BACKEND_URL"
        )
    scheme, _, rest = backend.partition("://")
    below = f".pulumi/locks/organization/{project}/{stack}"
    if scheme == "file":
        home = _folder(rest)
        try:
            return _in_files(stack, project, home, below)
        except OSError as error:
            return unknown(_SUBJECT, f"not checked: {home} cannot be read: {(error.strerror or 'unknown').lower()}")
    if scheme == "gs":
        return _in_bucket(stack, rest.partition("?")[0], below, apis)
    if scheme in ("http", "https"):
        return unknown(_SUBJECT, "not checked: the state lies with a service, which tells of a lock by itself")
    text = f"not checked: nothing here reads {scheme}://"
    return unknown(_SUBJECT, text, f"pulumi cancel -s {stack} takes a lock away")


def _in_files(stack: str, project: str, home: Path, below: str) -> Finding:
    """Raises OSError where a folder or file cannot be read."""
    own = home / ".pulumi"
    states = [own / "stacks" / project / f"{stack}{ending}" for ending in _STATE_ENDINGS]
    for file in (own / "meta.yaml", *states):
        if cut := _cut_short(stack, file):
            return cut
    folder = home / below
    return _told(stack, str(folder), [path.name for path in folder.glob("*.json")] if folder.is_dir() else [])


def _cut_short(stack: str, state: Path) -> Finding | None:
    """What is to be done where a killed update wrote a part of what stands beside each file of a state.

    Pulumi's library puts a state in its place at once and its attributes before that, which it can do without:
    `setAttrs` of https://github.com/google/go-cloud/blob/master/blob/fileblob/attrs.go.
    """
    beside = state.with_name(f"{state.name}.attrs")
    if not beside.is_file() or _is_json(beside):
        return None
    return bad(
        "state",
        f"{beside} is cut short: an update was killed while it wrote it, and no command can read the state",
        f"rm {quote(str(beside))}; pulumi cancel -s {stack}; pulumi up",
    )


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_bytes())
    except ValueError:
        return False
    return True


def _in_bucket(stack: str, place: str, below: str, apis: GoogleApis | None) -> Finding:
    bucket, _, folder = place.strip("/").partition("/")
    where = f"gs://{'/'.join(filter(None, (bucket, folder, below)))}"
    if apis is None:
        return unknown(_SUBJECT, f"not checked: {where} is read only with a login at Google")
    prefix = f"{folder}/{below}/".lstrip("/")
    try:
        found = apis.get("storage", f"b/{bucket}/o", prefix=prefix, fields="items(name)").get("items", [])
    except ApiError as error:
        return unknown(_SUBJECT, f"not checked: {where}: {error}", f"grant roles/storage.objectViewer on gs://{bucket}")
    return _told(stack, where, [str(each.get("name")) for each in found])


def _told(stack: str, where: str, locks: Sequence[str]) -> Finding:
    if not locks:
        return ok(_SUBJECT, f"none in {where}")
    return bad(
        _SUBJECT,
        f"{len(locks)} in {where}: an update runs, or was killed",
        f"if none runs: pulumi cancel -s {stack}; pulumi stack export | l4serve doctor says what else it left",
    )


def _folder(rest: str) -> Path:
    """The folder of a `file://` backend, as Pulumi reads it: a `~` is the home of who runs it, whatever follows.

    Source: `massageBlobPath` of https://github.com/pulumi/pulumi/blob/v3.215.0/pkg/backend/diy/backend.go
    """
    path = rest.partition("?")[0]
    return Path.home() / path[2:] if path.startswith("~") else Path.cwd() / path


def _backend(root: Path) -> str | None:
    """Where Pulumi keeps states: its variable, else what the project names, else what it logged in to last.

    Source: `GetCurrentCloudURL` of https://github.com/pulumi/pulumi/blob/v3.215.0/pkg/workspace/creds.go
    """
    if url := os.environ.get("PULUMI_BACKEND_URL") or _of_project(root / "Pulumi.yaml"):
        return url
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        current = json.loads((home / "credentials.json").read_text("utf-8")).get("current")
    except (OSError, ValueError, AttributeError):
        return None
    return current if isinstance(current, str) else None


def _of_project(file: Path) -> str | None:
    try:
        found = read_yaml(read_bytes(file, _MOST_PROJECT_BYTES))
    except (FileRefusedError, YamlError):
        return None
    backend = found.get("backend") if isinstance(found, dict) else None
    url = backend.get("url") if isinstance(backend, dict) else None
    return url if isinstance(url, str) else None
