"""What is written down about a sandbox, so that any later command finds its processes and its API server."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient

from l4serve.config.frozen import frozen
from l4serve.config.reading.files import read_bytes, read_json
from l4serve.sandbox.admin_kubeconfig import api_client
from l4serve.sandbox.certificates import Certificates
from l4serve.sandbox.processes import ProcessIdentity

_STATE_FILE = "sandbox.json"
_MOST_BYTES = 2**20
_MOST_PROCESSES = 100
_LATEST = 10**15
"""Seconds or ticks after which no process of a machine started."""
PKI = "pki"


@frozen(kw_only=True)
class SandboxState:
    """One sandbox: where its files are and which processes it is made of."""

    folder: Path
    label: str
    """What it was started for, such as a stack's name."""
    version: str
    """Kubernetes version."""
    owner: ProcessIdentity | None
    """The command that it ends with; None for a kept one."""
    server: str = ""
    """URL of the API server; empty until it serves."""
    processes: tuple[ProcessIdentity, ...] = ()

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of its administrator."""
        return self.folder / "kubeconfig"

    @property
    def is_running(self) -> bool:
        """Whether it came up and all of its processes still run."""
        return bool(self.server and self.processes) and all(process.is_alive() for process in self.processes)

    def client(self) -> ApiClient:
        """A new client of the API server, as the administrator; close it after use."""
        return api_client(self.server, Certificates(self.folder / PKI))

    def save(self) -> None:
        """Write the state beside the sandbox's files, whole or not at all."""
        fresh = self.folder / f"{_STATE_FILE}.new"
        fresh.write_text(json.dumps({**asdict(self), "folder": str(self.folder)}, indent=1), encoding="utf-8")
        fresh.replace(self.folder / _STATE_FILE)


def read_state(folder: Path) -> SandboxState | None:
    """The sandbox whose files are in `folder`; None where its state was never written or cannot be read."""
    try:
        values = read_json(read_bytes(folder / _STATE_FILE, _MOST_BYTES))
        owner = values["owner"]
        label, version, server = (_text(values[key]) for key in ("label", "version", "server"))
        return SandboxState(
            folder=folder,
            label=label,
            version=version,
            server=server,
            owner=_process(owner) if owner else None,
            processes=_processes(values["processes"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _processes(values: Any) -> tuple[ProcessIdentity, ...]:
    """The recorded processes; to look for thousands, which no sandbox has, would take seconds."""
    if len(values) > _MOST_PROCESSES:
        raise ValueError("no sandbox")
    return tuple(map(_process, values))


def _process(values: Any) -> ProcessIdentity:
    """A recorded process; a pid below 2 would mean a whole group or the system's first process to whoever ends it."""
    pid, started = values["pid"], values["started"]
    if type(pid) is not int or not 1 < pid < 2**31 or type(started) not in (int, float) or abs(started) > _LATEST:
        raise ValueError("no process")
    return ProcessIdentity(name=_text(values["name"]), pid=pid, started=float(started))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
