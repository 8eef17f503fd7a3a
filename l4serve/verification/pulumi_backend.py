"""Where Pulumi keeps the states of a project, read as its CLI reads the address of a backend."""

import os
import pwd
import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from l4serve.config.frozen import frozen
from l4serve.config.json_text import json_value
from l4serve.config.reading.files import FileRefusedError, read_bytes
from l4serve.config.reading.yaml_reader import YamlError, read_yaml

_MOST_BYTES = 2**20
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ODD = re.compile(r"%(?![0-9A-Fa-f]{2})|%00|[\x00-\x1f\x7f]")
"""What no address holds, or no path."""
_OF_FOLDERS = frozenset({"create_dir", "no_tmp_dir", "base_url", "secret_key_path", "metadata", "prefix", "key"})
"""Parameters that `file://` takes: https://github.com/google/go-cloud/blob/v0.37.0/blob/fileblob/fileblob.go"""


class AddressError(ValueError):
    """An address that Pulumi cannot open: the message says why, and repeats none of it, which may hold a password."""


@frozen(kw_only=True)
class Backend:
    """The address of a backend, and what names it."""

    url: str
    named_by: str

    @property
    def scheme(self) -> str:
        """Raises AddressError where the address has none, or something that no address has."""
        found = _SCHEME.match(self.url)
        if found is None:
            raise AddressError("it begins with no scheme, such as file:// or gs://")
        if _ODD.search(self.url):
            raise AddressError("it holds a control character, or a % that begins no code of two digits")
        return found[1]


@frozen(kw_only=True)
class FilesPlace:
    """A folder that keeps states, what comes before each name in it, and whether Pulumi makes the folder itself."""

    folder: Path
    prefix: str
    is_made: bool


@frozen(kw_only=True)
class BucketPlace:
    """A bucket that keeps states, and what comes before each name in it."""

    bucket: str
    prefix: str


def current_backend(root: Path) -> Backend | None:
    """Where Pulumi keeps states: its variable, else what the project names, else what it logged in to last.

    Source: `GetCurrentCloudURL` of https://github.com/pulumi/pulumi/blob/v3.215.0/pkg/workspace/creds.go
    """
    credentials = _credentials()
    for named_by, url in (
        ("PULUMI_BACKEND_URL", os.environ.get("PULUMI_BACKEND_URL")),
        (f"backend.url of {root / 'Pulumi.yaml'}", _of_project(root / "Pulumi.yaml")),
        (f"current of {credentials}", _of_login(credentials)),
    ):
        if url:
            return Backend(url=url, named_by=named_by)
    return None


def files_place(url: str) -> FilesPlace:
    """What a `file://` address names: a `~` is the home of who runs Pulumi, whatever follows. Raises AddressError.

    Source: `massageBlobPath` of https://github.com/pulumi/pulumi/blob/v3.215.0/pkg/backend/diy/backend.go
    """
    query = _query(url)
    if odd := sorted(set(query) - _OF_FOLDERS):
        raise AddressError(f"a folder takes no parameter {odd[0]}")
    path = url.removeprefix("file://").partition("?")[0]
    if path.startswith("~"):
        path = f"{_home()}/{path[2:]}"
    whole = f"file://{os.path.abspath(path)}"  # noqa: PTH100 - dots go before anything is decoded
    return FilesPlace(
        folder=Path(unquote(urlsplit(whole).path, errors="surrogateescape")),
        prefix=query.get("prefix", ""),
        is_made=bool(query.get("create_dir")),
    )


def bucket_place(url: str) -> BucketPlace:
    """What a `gs://` address names: its parameter `prefix` comes before its folder. Raises AddressError."""
    query = _query(url)
    parts = urlsplit(url)
    folder = unquote(parts.path).lstrip("/")
    if folder and not folder.endswith("/"):
        folder += "/"
    return BucketPlace(bucket=parts.netloc, prefix=query.get("prefix", "") + folder)


def _query(url: str) -> dict[str, str]:
    """The first value of each parameter of an address; raises AddressError."""
    try:
        return {key: values[0] for key, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}
    except ValueError:
        raise AddressError("it cannot be read as an address") from None


def _home() -> str:
    """The home of who runs this, by the database of users, which Pulumi asks before it reads HOME."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return os.environ.get("HOME") or "/"


def _credentials() -> Path:
    """The file that knows the last login: `getCredsFilePath` of Pulumi's sdk/go/common/workspace/creds.go."""
    folder = os.environ.get("PULUMI_CREDENTIALS_PATH") or os.environ.get("PULUMI_HOME")
    return Path(folder or Path(_home()) / ".pulumi") / "credentials.json"


def _of_login(credentials: Path) -> str | None:
    try:
        current = json_value(read_bytes(credentials, _MOST_BYTES).decode()).get("current")
    except (ValueError, AttributeError):
        return None
    return current if isinstance(current, str) else None


def _of_project(file: Path) -> str | None:
    try:
        found = read_yaml(read_bytes(file, _MOST_BYTES))
    except (FileRefusedError, YamlError):
        return None
    backend = found.get("backend") if isinstance(found, dict) else None
    url = backend.get("url") if isinstance(backend, dict) else None
    return url if isinstance(url, str) else None
