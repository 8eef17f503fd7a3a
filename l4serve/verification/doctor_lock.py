"""The lock that an update holds on a stack's state, and what a killed one leaves of both: in files, or in a bucket."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from l4serve.config.reading.files import FileRefusedError, read_bytes
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown
from l4serve.verification.google_apis import ApiError, GoogleApis
from l4serve.verification.pulumi_backend import (
    AddressError,
    Backend,
    BucketPlace,
    FilesPlace,
    bucket_place,
    current_backend,
    files_place,
)

_SUBJECT = "state lock"
_STATE_ENDINGS = (".json", ".json.gz", ".json.zst")
"""Of a state file, plain or as PULUMI_DIY_BACKEND_GZIP and its kin have it written."""
_MOST_BYTES = 2**20
_ATTRIBUTES = ".attrs"
"""Ending of what stands beside each file of a state."""


def state_lock(stack: str, project: str, apis: GoogleApis | None, *, root: Path) -> Finding:
    """Whether the state of a stack is locked, as far as its backend can be read; `apis` are None without a login.

    `root` is the folder of Pulumi.yaml, which may name the backend. A service keeps locks of its own and tells of them.
    """
    backend = current_backend(root)
    if backend is None:
        return bad(
            _SUBJECT, "Pulumi is not logged in to a backend, which keeps states", "pulumi login, or PULUMI_BACKEND_URL"
        )
    try:
        return _in_backend(stack, project, apis, backend)
    except AddressError as error:
        text = f"{backend.named_by} names no backend that Pulumi can open: {error}"
        return bad(_SUBJECT, text, "file://FOLDER, gs://BUCKET or https://api.pulumi.com there, or pulumi login")


def _in_backend(stack: str, project: str, apis: GoogleApis | None, backend: Backend) -> Finding:
    """Raises AddressError."""
    scheme = backend.scheme
    if scheme == "file":
        place = files_place(backend.url)
        try:
            return _in_files(stack, project, place)
        except OSError as error:
            text = f"not checked: {place.folder} cannot be read: {(error.strerror or 'unknown').lower()}"
            return unknown(_SUBJECT, text)
        except FileRefusedError as error:
            return unknown(_SUBJECT, f"not checked: a file beside a state {error}")
    if scheme == "gs":
        return _in_bucket(stack, project, bucket_place(backend.url), apis)
    if scheme in ("http", "https"):
        return unknown(_SUBJECT, "not checked: the state lies with a service, which tells of a lock by itself")
    text = f"not checked: nothing here reads {scheme}://"
    return unknown(_SUBJECT, text, f"pulumi cancel -s {stack} takes a lock away")


def _names(stack: str, project: str) -> tuple[tuple[str, str], ...]:
    """The folder of a stack's locks and its state without an ending, in the layout of Pulumi 3.61 and in the older one.

    The older one stays where states lie in it, and PULUMI_DIY_BACKEND_LEGACY_LAYOUT begins it anew.
    Source: https://github.com/pulumi/pulumi/blob/v3.215.0/pkg/backend/diy/store.go
    """
    return (
        (f".pulumi/locks/organization/{project}/{stack}", f".pulumi/stacks/{project}/{stack}"),
        (f".pulumi/locks/{stack}", f".pulumi/stacks/{stack}"),
    )


def _in_files(stack: str, project: str, place: FilesPlace) -> Finding:
    """Raises OSError or FileRefusedError where a folder or file cannot be read."""
    if not place.folder.is_dir():
        if place.is_made and not place.folder.exists():
            return ok(_SUBJECT, f"none: the first update makes {place.folder}")
        there = place.folder.exists()
        what = "a file" if there else "a folder that does not exist"
        text = f"{place.folder} is {what}, so Pulumi cannot open the state"
        make = "move that file away" if there else f"mkdir -p {quote(str(place.folder))}"
        return bad(_SUBJECT, text, f"{make}, or pulumi login to where the state lies")
    own = f"{place.folder}/{place.prefix}"
    names = _names(stack, project)
    states = [f"{state}{ending}" for _, state in names for ending in _STATE_ENDINGS]
    for name in (".pulumi/meta.yaml", *states):
        if cut := _cut_short(stack, Path(f"{own}{name}{_ATTRIBUTES}")):
            return cut
    for locks, _ in names:
        if found := _files(Path(f"{own}{locks}")):
            return _locked(stack, f"{own}{locks}", found)
    return ok(_SUBJECT, f"none in {own}.pulumi/locks")


def _files(folder: Path) -> list[str]:
    """Names of all that Pulumi takes for a lock in a folder of locks, whatever they end with."""
    try:
        with os.scandir(folder) as entries:
            found = [each.name for each in entries if not each.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [each for each in found if not each.endswith(_ATTRIBUTES)]


def _cut_short(stack: str, beside: Path) -> Finding | None:
    """What is to be done where a killed update wrote a part of what stands beside each file of a state.

    Pulumi's library puts a state in its place at once and its attributes before that, which it can do without:
    `setAttrs` of https://github.com/google/go-cloud/blob/master/blob/fileblob/attrs.go. Raises FileRefusedError.
    """
    if not beside.is_file() or _is_object(read_bytes(beside, _MOST_BYTES)):
        return None
    return bad(
        "state",
        f"{beside} is cut short or no JSON object: an update was killed while it wrote it, and no command can read "
        "the state",
        f"rm {quote(str(beside))}; pulumi cancel -s {stack}; pulumi up",
    )


def _is_object(content: bytes) -> bool:
    """Whether a JSON object begins a text, or null, which Go reads as an empty one; the library reads no further."""
    try:
        value, _ = json.JSONDecoder().raw_decode(content.decode("utf-8", "replace").lstrip(" \t\r\n"))
    except (ValueError, RecursionError):
        return False
    return value is None or isinstance(value, dict)


def _in_bucket(stack: str, project: str, place: BucketPlace, apis: GoogleApis | None) -> Finding:
    where = f"gs://{place.bucket}/{place.prefix}"
    if apis is None:
        return unknown(_SUBJECT, f"not checked: {where}.pulumi/locks is read only with a login at Google")
    for locks, _ in _names(stack, project):
        asked = {"prefix": f"{place.prefix}{locks}/", "delimiter": "/", "fields": "items(name)"}
        try:
            found = apis.get("storage", f"b/{place.bucket}/o", **asked).get("items", [])
        except ApiError as error:
            fix = f"grant roles/storage.objectViewer on gs://{place.bucket}"
            return unknown(_SUBJECT, f"not checked: {where}{locks}: {error}", fix)
        if found:
            return _locked(stack, f"{where}{locks}", found)
    return ok(_SUBJECT, f"none in {where}.pulumi/locks")


def _locked(stack: str, where: str, locks: Sequence[object]) -> Finding:
    return bad(
        _SUBJECT,
        f"{len(locks)} in {where}: an update runs, or was killed",
        f"if none runs: pulumi cancel -s {stack}; pulumi stack export | l4serve doctor says what else it left",
    )
