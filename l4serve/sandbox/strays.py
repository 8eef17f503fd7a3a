"""Finds the processes of sandboxes by the mark in their environment, whatever became of the file that lists them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from l4serve.config.frozen import frozen
from l4serve.sandbox.processes import FOLDER_MARK, OWNER_MARK, ProcessIdentity, identify, is_over, same_start, threads

_REMOVED = " (deleted)"
"""What Linux appends to the path of a folder that is gone."""


@frozen(kw_only=True)
class MarkedProcess:
    """A process that a sandbox started."""

    identity: ProcessIdentity
    folder: Path
    """Folder of its sandbox, which may be gone."""
    owner_is_alive: bool
    """Whether the command that started it still runs."""

    def is_below(self, root: Path) -> bool:
        """Whether its sandbox has, or had, its folder in this one, reached by links or not."""
        # Path.resolve raises where links go round in a circle.
        return os.path.realpath(self.folder.parent) == os.path.realpath(root)

    @property
    def is_homeless(self) -> bool:
        """Whether the state folder of its sandbox is gone, so that no command has it for its own."""
        # The folder of a container's process lies in the container.
        inside = Path(f"/proc/{self.identity.pid}/root")
        return not os.path.lexists((inside if inside.exists() else Path("/")) / self.folder.parent.relative_to("/"))


def marked_processes() -> Iterator[MarkedProcess]:
    """The living processes of this user's sandboxes."""
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.uids().real != os.getuid():
                continue
            marks = _marks(process)
            folder = Path(marks.get(FOLDER_MARK, ""))
            if not folder.is_absolute() or is_over(process.pid):
                continue
            identity = identify(process.name(), process.pid)
        except (psutil.Error, OSError, ValueError):
            continue
        yield MarkedProcess(identity=identity, folder=folder, owner_is_alive=_is_alive(marks.get(OWNER_MARK, "")))


def _marks(process: psutil.Process) -> Mapping[str, str]:
    """The marks of a process; of one that ends, and has no environment any more, the folder that its threads run in."""
    ends = process.status() == psutil.STATUS_ZOMBIE
    given = {} if ends else process.environ()
    if given or _link(Path(f"/proc/{process.pid}/exe")):
        return given
    folders = (_link(thread / "cwd").removesuffix(_REMOVED) for thread in threads(process.pid))
    return {FOLDER_MARK: next(filter(None, folders), "")}


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _is_alive(owner: str) -> bool:
    pid, _, started = owner.partition(":")
    try:
        return same_start(int(pid), float(started))
    except ValueError:
        return False
