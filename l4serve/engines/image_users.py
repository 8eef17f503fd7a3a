"""Who an engine's image can run as, and what it writes to. Data: data/image_users.yaml."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from packaging.specifiers import SpecifierSet

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.engines.arguments.compilation import compilation_keys
from l4serve.engines.releases.contract import Contract


@frozen(kw_only=True)
class ImageUser:
    """The user of a release's image; `user` is None where only root can run it, and `reason` says why."""

    user: int | None = None
    group: int | None = None
    name: str | None = None
    home: str | None = None
    writable: tuple[str, ...] = ()
    """Folders that the engine writes to, beside its home and /dev/shm."""
    reason: str = ""
    only_root: bool = False
    """Whether it is known that no other user can, whatever the pod says."""


def image_user(contract: Contract) -> ImageUser:
    """Who the official image of a release can run as; root where the table has no row for the release."""
    return _image_user(contract.engine, contract.version)


@cache
def _image_user(kind: str, version: str) -> ImageUser:
    rows = load_data(__file__, "image_users.yaml").get(kind, ())
    for row in rows:
        if SpecifierSet(row["versions"]).contains(version, prereleases=True):
            known = {key: row[key] for key in ("user", "group", "name", "home", "reason") if key in row}
            folders = tuple(row.get("writable", ()))
            return ImageUser(**known, writable=folders, only_root=row.get("onlyRoot", False))
    return ImageUser(reason="nobody showed that its image serves as another user than root")


def folders_written(argv: Iterable[str], env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each folder that a variable or a flag has the engine write to, after the variable's or the flag's name."""
    writes = _writes()
    yield from ((name, env[name]) for name in writes["variables"] if name in env)
    words = [*argv]
    for name in writes["flags"]:
        yield from ((name, word.partition("=")[2]) for word in words if word.startswith(f"{name}="))
        yield from ((name, value) for word, value in pairwise(words) if word == name)
    for key, value in compilation_keys(words):
        if key in writes["compilation"] and isinstance(value, str):
            yield f"--compilation-config.{key}", value


def folder_variables(names: Iterable[str]) -> tuple[str, ...]:
    """Those of some variables that name a folder which the engine writes to."""
    return tuple(name for name in names if name in _writes()["variables"])


def _writes() -> Mapping[str, Any]:
    writes: Mapping[str, Any] = load_data(__file__, "image_users.yaml")["writes"]
    return writes
