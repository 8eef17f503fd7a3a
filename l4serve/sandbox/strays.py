"""Finds the processes of sandboxes by the mark in their environment, whatever became of the file that lists them."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from l4serve.config.frozen import frozen
from l4serve.sandbox.processes import FOLDER_MARK, OWNER_MARK, ProcessIdentity, identify, same_start


@frozen(kw_only=True)
class MarkedProcess:
    """A process that a sandbox started."""

    identity: ProcessIdentity
    folder: Path
    """Folder of its sandbox, which may be gone."""
    owner_is_alive: bool
    """Whether the command that started it still runs."""


def marked_processes(root: Path) -> tuple[MarkedProcess, ...]:
    """The living processes of this user whose sandbox has, or had, its folder under `root`."""
    # Path.resolve raises where links go round in a circle.
    return tuple(_marked(Path(os.path.realpath(root))))


def _marked(root: Path) -> Iterator[MarkedProcess]:
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.uids().real != os.getuid():
                continue
            marks = process.environ()
            folder = Path(marks.get(FOLDER_MARK, "/"))
            if folder.parent != root or process.status() == psutil.STATUS_ZOMBIE:
                continue
            identity = identify(process.name(), process.pid)
        except (psutil.Error, OSError, ValueError):
            continue
        yield MarkedProcess(identity=identity, folder=folder, owner_is_alive=_is_alive(marks.get(OWNER_MARK, "")))


def _is_alive(owner: str) -> bool:
    pid, _, started = owner.partition(":")
    try:
        return same_start(int(pid), float(started))
    except ValueError:
        return False
