"""What a workload's pods are allowed on their node: Pod Security level, user, and the folders that they write to."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.gathering import refuse_all
from l4serve.config.keys.pod_security import PodSecurity
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem, refuse
from l4serve.config.words.paths import lies_in
from l4serve.engines.argv import Launch
from l4serve.engines.image_users import ImageUser, folder_variables, folders_written, image_user
from l4serve.engines.images import is_own
from l4serve.engines.releases.contract import Contract
from l4serve.planning.gke.hf_token import TOKEN_DIR
from l4serve.planning.workload.pods.encryption import CERTIFICATE_FOLDER
from l4serve.planning.workload.pods.storage import StoragePlan

Level = Literal["restricted", "baseline"]
SHARED_MEMORY = "/dev/shm"
"""Memory that every pod mounts there, for the engine's processes."""
_CUDA = "/usr/local/cuda"
_NAME = "engine"
"""Name of a user that nobody named; programs that ask for one find it in USER."""


@frozen(kw_only=True)
class PodGuard:
    """Pod Security of a workload's pods."""

    level: Level
    user: int | None
    """Numeric user; None is the image's own."""
    group: int | None
    env: Mapping[str, str]
    """HOME and USER of a user that the image may not know."""
    writable: tuple[str, ...]
    """Folders that are empty ones of the pod; the rest of the file system is read-only."""
    notes: tuple[str, ...] = ()

    @property
    def restricted(self) -> bool:
        """Whether the pods pass Pod Security "restricted"."""
        return self.level == "restricted"


def plan_pod_guard(
    path: str, workload: Workload, contract: Contract, launch: Launch | None, storage: StoragePlan
) -> PodGuard:
    """The Pod Security of a workload; `path` is its own in the config.

    Raises ConfigError where the config asks for "restricted" of an image that only root can run, or has the engine
    write where nothing is writable.
    """
    config, known = workload.pod_security, image_user(contract)
    if config.level == "restricted" and config.user is None and known.user is None:
        what = f"{contract.name} runs as root: {known.reason}"
        refuse(
            f"{path}.podSecurity.level",
            what,
            "set engine.image to one of yours and podSecurity.user to its user, or remove it",
        )
    own = is_own(workload.engine.kind, workload.engine.image)
    if own and config.user is not None and known.only_root:
        what = f"{contract.name} runs as root: {known.reason}"
        refuse(f"{path}.podSecurity.user", what, "set engine.image to one that this user can run, or remove it")
    if config.level == "baseline" or (config.user is None and known.user is None):
        refuse_all(_without_user(path, config))
        why = "podSecurity.level says so" if config.level else f"{contract.name} runs as root: {known.reason}"
        note = f'pods run without Pod Security "restricted", and the namespace enforces "baseline": {why}'
        return PodGuard(level="baseline", user=None, group=None, env={}, writable=(), notes=(note,))
    guard = _restricted(config, known)
    refuse_all((*_hiding(path, config, workload.engine.kind), *_mounted_twice(path, workload, storage)))
    mounted = tuple(each.mount_path for each in storage.volumes if each.mount_path and not each.read_only)
    if launch is not None:
        refuse_all(_unwritable(path, (SHARED_MEMORY, *guard.writable, *mounted), launch, workload))
    if own and config.user is not None and known.user is None:
        note = f"the image may not run as user {config.user}: {known.reason}"
        return replace(guard, notes=(note,))
    if own or config.user is not None:
        return guard
    note = f"the image is of another repository: its pods run as user {guard.user}, as those of {contract.name} do"
    return replace(guard, notes=(note,))


def _without_user(path: str, config: PodSecurity) -> Iterator[Problem]:
    """Folders are of use to a user other than root alone."""
    for field, value in (("home", config.home), ("writable", config.writable)):
        if value:
            what = "root writes where it likes, and the image runs as root"
            yield Problem(f"{path}.podSecurity.{field}", what, "remove it, or set podSecurity.user")


def _restricted(config: PodSecurity, known: ImageUser) -> PodGuard:
    user = config.user or known.user
    named = known.group if config.user is None else user
    group = config.group if config.group is not None else named
    home = config.home or known.home or f"/home/{_NAME}"
    name = known.name if config.user is None and known.name else _NAME
    folders = (home, *(known.writable or ("/tmp",)), *config.writable)
    env = {"HOME": home, "USER": name}
    return PodGuard(level="restricted", user=user, group=group, env=env, writable=tuple(dict.fromkeys(folders)))


def _asked(config: PodSecurity) -> Iterator[tuple[str, str]]:
    """The folders that a config makes writable, each with its field."""
    if config.home is not None:
        yield "home", config.home
    yield from ((f"writable[{i}]", folder) for i, folder in enumerate(config.writable))


def _hiding(path: str, config: PodSecurity, engine: str) -> Iterator[Problem]:
    """Folders that are empty in the pod, and would hide what its container starts from."""
    for field, folder in _asked(config):
        if not lies_in(folder, (SHARED_MEMORY,)) and (hidden := _hidden(folder, engine)):
            what = f"an empty folder at {folder} hides {hidden[0]} ({hidden[1]})"
            yield Problem(f"{path}.podSecurity.{field}", what, "name another folder, or remove it")


def _hidden(folder: str, engine: str) -> tuple[str, str] | None:
    """What an empty folder hides of the container of an engine, in words, and where that is; None for nothing."""
    for row in load_data(__file__, "taken_folders.yaml")["taken"]:
        for base in row["in"] if row.get("of", engine) == engine else ():
            # A release of CUDA has a folder of its own beside the one without a version.
            if (
                lies_in(base, (folder,))
                or lies_in(folder, (base,))
                or (base == _CUDA and folder.startswith(f"{base}-"))
            ):
                return row["has"], base
    return None


def _mounted_twice(path: str, workload: Workload, storage: StoragePlan) -> Iterator[Problem]:
    """Folders that something else is mounted at, or above without a right to write: such a pod is never made."""
    written = {SHARED_MEMORY, *(each.mount_path for each in storage.volumes if not each.read_only)}
    read = {TOKEN_DIR, *(each.mount_path for each in storage.volumes if each.mount_path and each.read_only)}
    read |= {CERTIFICATE_FOLDER} if workload.service.tls is not None else set()
    for field, folder in _asked(workload.pod_security):
        base = next((each for each in read if lies_in(folder, (each,))), None)
        if folder in written or lies_in(folder, (SHARED_MEMORY,)):
            mounted = folder if folder in written else SHARED_MEMORY
            what = f"the pod mounts {mounted} already, and may write there"
            yield Problem(f"{path}.podSecurity.{field}", what, "remove it")
        elif base is not None:
            what = f"the pod mounts {base} already, only to read"
            yield Problem(f"{path}.podSecurity.{field}", what, "name another folder, or remove it")


def _unwritable(path: str, writable: tuple[str, ...], launch: Launch, workload: Workload) -> Iterator[Problem]:
    """Folders that the config has the engine write to, and that lie on the read-only file system, or may."""
    for name in folder_variables(launch.env_sources):
        what = f"{name} names a folder that the engine writes to, and the plan cannot read it from elsewhere"
        yield Problem(f"{path}.env.{name}", what, f"write its value in extraEnv.{name}")
    for name, folder in folders_written(launch.argv, launch.env):
        if folder.startswith("/") and not lies_in(folder, writable):
            field = "extraArgs" if name.startswith("-") else f"extraEnv.{name}"
            if name.partition(".")[2] in (vars(workload.engine).get("compilation_config") or {}):
                field = "engine.compilationConfig"
            what = f"{name} has the engine write to {folder}, and the pod's file system is read-only there"
            yield Problem(f"{path}.{field}", what, f"set podSecurity.writable: [{folder}], or name a folder below HOME")
