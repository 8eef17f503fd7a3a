"""The life of a sandbox: it ends with the command that started it, or is kept until taken down."""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import urllib3
from kubernetes.client.exceptions import ApiException

from l4serve.sandbox.apply import api_message
from l4serve.sandbox.build import ensure_binaries
from l4serve.sandbox.control_plane import ControlPlane, start_control_plane
from l4serve.sandbox.errors import SandboxError, readable_file_errors
from l4serve.sandbox.go_modules import kubernetes_version
from l4serve.sandbox.locks import held_lock
from l4serve.sandbox.paths import STATE_VARIABLE, state_root
from l4serve.sandbox.processes import ProcessIdentity, end_processes, this_process
from l4serve.sandbox.progress import Progress, silent
from l4serve.sandbox.signals import ending_signals_raise, signals_ignored
from l4serve.sandbox.state import SandboxState, read_state
from l4serve.sandbox.strays import MarkedProcess, marked_processes
from l4serve.sandbox.watchdog import interrupted_by_death

_KEPT = "kept"
_PASSING = "passing-"
_UNREADABLE_LEFTOVER_S = 3600.0
"""Age from which a folder without a state or a process is a leftover, rather than one that is being started."""
_DEATH_SHOWS_WITHIN_S = 1.0
_ATTEMPTS = 20
_RETRY_S = 0.05


@contextmanager
def running_sandbox(label: str, *, keep: bool = False, progress: Progress = silent) -> Iterator[SandboxState]:
    """A running control plane for the time of the `with` block; `label` says what it is for.

    It ends without a trace with the block, also on an exception, Ctrl-C, SIGTERM and SIGHUP. With `keep` it
    takes the place of the kept one and stays when the block ends well. Raises SandboxError on a failed start.
    """
    binaries = ensure_binaries(progress)
    root = _make_state_root()
    with readable_file_errors(root, STATE_VARIABLE):
        _end_abandoned(root)
    with ending_signals_raise(), _kept_lock(root, progress) if keep else nullcontext():
        folder = root / (_KEPT if keep else f"{_PASSING}{secrets.token_hex(4)}")
        _remove(folder)
        with _removed_unless(folder, stays=keep):
            with readable_file_errors(root, STATE_VARIABLE):
                plane, state = _start(folder, binaries, label, keep=keep, progress=progress)
            with interrupted_by_death(plane.require_alive, progress), _readable_api_errors(plane):
                yield state
            plane.require_alive()
            if keep:
                plane.disown()


def find_kept() -> SandboxState | None:
    """The kept sandbox, running or not; None where there is none. Raises SandboxError for another user's."""
    root = state_root()
    _require_own(root)
    return read_state(root / _KEPT)


def take_down(progress: Progress = silent) -> bool:
    """End the kept sandbox and what killed commands left behind, without a trace; whether there was anything."""
    root = state_root()
    with readable_file_errors(root, STATE_VARIABLE):
        left = (*find_strays(), *_marked_of(root / _KEPT))
        existed = bool(left) or os.path.lexists(root / _KEPT)
        if not existed and not root.exists():
            return False
        if root.is_symlink():
            end_processes(found.identity for found in left)
        root = _make_state_root()
        with _kept_lock(root, progress), signals_ignored():
            _remove(root / _KEPT)
            _end_abandoned(root)
    return existed


def find_strays() -> tuple[MarkedProcess, ...]:
    """Processes of sandboxes that nobody uses: of no running kept sandbox and of no command that still runs.

    Those whose state folder is gone are among them, whichever it was.
    """
    root = state_root()
    with readable_file_errors(root, STATE_VARIABLE):
        kept = find_kept()
        pids = {process.pid for process in (kept.processes if kept else ()) if process.is_alive()}
        starting = os.path.realpath(root / _KEPT) if kept and not kept.server else None
        return tuple(
            found
            for found in marked_processes()
            if (found.is_below(root) or found.is_homeless)
            and found.identity.pid not in pids
            and not found.owner_is_alive
            and os.path.realpath(found.folder) != starting
        )


def _start(
    folder: Path, binaries: Path, label: str, *, keep: bool, progress: Progress
) -> tuple[ControlPlane, SandboxState]:
    folder.mkdir(mode=0o700)
    owner = None if keep else this_process()
    state = SandboxState(folder=folder, label=label, version=kubernetes_version(), owner=owner)
    state.save()

    def record(processes: tuple[ProcessIdentity, ...]) -> None:
        replace(state, processes=processes).save()

    plane = start_control_plane(folder, binaries, record, progress)
    state = replace(state, server=plane.layout.server, processes=plane.processes)
    state.save()
    return plane, state


@contextmanager
def _readable_api_errors(plane: ControlPlane) -> Iterator[None]:
    """Blames the process that ended where an API call failed, and the API server where none did."""
    try:
        yield
    except (ApiException, urllib3.exceptions.HTTPError) as error:
        _blame_the_dead(plane)
        said = api_message(error) if isinstance(error, ApiException) else str(error)
        raise SandboxError("The sandbox's API server did not do what was asked of it.", detail=said) from error


def _blame_the_dead(plane: ControlPlane) -> None:
    """Raises for a process that ended; its connections close a moment before the system tells of its end."""
    deadline = time.monotonic() + _DEATH_SHOWS_WITHIN_S
    while time.monotonic() < deadline:
        plane.require_alive()
        time.sleep(_RETRY_S)


@contextmanager
def _removed_unless(folder: Path, *, stays: bool) -> Iterator[None]:
    ended_well = False
    try:
        yield
        ended_well = True
    finally:
        if not (stays and ended_well):
            with signals_ignored():
                _remove(folder)


def _remove(folder: Path) -> None:
    """Ends every process of a sandbox, and its files."""
    for _ in range(_ATTEMPTS):
        if not (marked := _marked_of(folder)):
            break
        end_processes(found.identity for found in marked)
    _delete(folder)


def _marked_of(folder: Path) -> tuple[MarkedProcess, ...]:
    """Those that carry its mark, whatever its file lists; and those listed that knew the folder by another path."""
    state, root = read_state(folder), folder.parent
    listed = {process.pid for process in (state.processes if state else ()) if process.is_alive()}
    named = (found for found in marked_processes() if found.folder.name == folder.name)
    return tuple(
        found for found in named if found.is_below(root) or (found.identity.pid in listed and not _is_at_home(found))
    )


def _is_at_home(found: MarkedProcess) -> bool:
    """Whether the sandbox that its mark names lists it, so that it is no other's."""
    state = read_state(found.folder)
    return state is not None and found.identity.pid in {process.pid for process in state.processes}


def _delete(folder: Path) -> None:
    """Removes a folder that others may be removing too, or whose last process was still writing."""
    failure: OSError | None = None
    for _ in range(_ATTEMPTS):
        try:
            if folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder, onerror=_unless_gone)
            else:
                folder.unlink(missing_ok=True)
            return
        except OSError as error:
            failure = error
            time.sleep(_RETRY_S)
    if folder.exists():
        reason = failure.strerror if failure else "others write to it"
        raise SandboxError(f"The folder {folder} cannot be removed: {reason}.", remedy="remove it by hand")


def _unless_gone(_function: object, _path: str, raised: tuple[object, BaseException, object]) -> None:
    """Raises what stopped a removal, but not where another was faster."""
    if not isinstance(raised[1], FileNotFoundError):
        raise raised[1]


def _end_abandoned(root: Path) -> None:
    """End what a killed command could not: sandboxes that were to end with an owner which is gone."""
    for folder in root.glob(f"{_PASSING}*"):
        if _is_abandoned(folder):
            _remove(folder)
    end_processes([found.identity for found in find_strays()])


def _is_abandoned(folder: Path) -> bool:
    state = read_state(folder)
    if state is not None and state.owner is not None:
        return not state.owner.is_alive()
    if marked := _marked_of(folder):
        return not any(found.owner_is_alive for found in marked)
    try:
        return time.time() - folder.stat().st_mtime > _UNREADABLE_LEFTOVER_S
    except OSError:
        return False


def _make_state_root() -> Path:
    root = state_root()
    try:
        if root.is_symlink():
            # What is removed below it would be somebody else's.
            raise SandboxError(
                f"The state folder {root} is a symbolic link; what it points to stays as it is.",
                remedy=f"remove the link, or set {STATE_VARIABLE} to the folder itself",
            )
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_own(root)
    except OSError as error:
        raise SandboxError(
            f"The state folder {root} cannot be made: {error.strerror}.",
            remedy=f"set {STATE_VARIABLE} to another one",
        ) from None
    return root


def _require_own(root: Path) -> None:
    """Raises SandboxError for another user's state folder, which an administrator could use.

    Its processes would stay, and its owner could lay links in the way of what is written there.
    """
    try:
        owner = root.stat().st_uid
    except OSError:
        return
    if owner != os.getuid():
        raise SandboxError(
            f"The state folder {root} is another user's; its sandbox stays as it is.",
            remedy=f"run this as that user, or set {STATE_VARIABLE} to a folder of your own",
        )


def _kept_lock(root: Path, progress: Progress) -> AbstractContextManager[None]:
    return held_lock(root / f"{_KEPT}.lock", "the command that is starting the kept sandbox", progress)
