"""Starts a real control plane on loopback: etcd, API server, controllers, scheduler, KWOK as kubelets."""

import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

import urllib3
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException

from l4serve.sandbox import arguments
from l4serve.sandbox.admin_kubeconfig import api_client, read_json, write_kubeconfig
from l4serve.sandbox.arguments import LOOPBACK, Layout, Ports
from l4serve.sandbox.certificates import ADMIN, USERS, issue_certificates
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.processes import ChildProcess, ProcessIdentity, end_processes, log_tail, start_process
from l4serve.sandbox.progress import Progress
from l4serve.sandbox.state import PKI
from l4serve.sandbox.watchdog import interrupted_by_death

_API_TIMEOUT_S = 120.0
_CONTROLLERS_TIMEOUT_S = 60.0
_POLL_S = 0.1
_ATTEMPTS = 3
_PORT_TAKEN = "address already in use"

Recorder = Callable[[tuple[ProcessIdentity, ...]], None]
"""Told of every process as soon as it runs, so that none is lost when the starting one dies."""


class ControlPlane:
    """The processes of one sandbox, as the one who started them sees them."""

    def __init__(self, layout: Layout, record: Recorder) -> None:
        self.layout = layout
        self._record = record
        self._children: list[ChildProcess] = []

    @property
    def processes(self) -> tuple[ProcessIdentity, ...]:
        """Identities of the processes, in the order of their start."""
        return tuple(child.identity for child in self._children)

    def client(self) -> ApiClient:
        """A new client of the API server, as the administrator."""
        return api_client(self.layout.server, self.layout.certificates)

    def start(self, progress: Progress) -> None:
        """Start everything and wait until it serves. Raises SandboxError with the end of a log."""
        progress("starting etcd and the API server", 0, None)
        self._launch("etcd", arguments.etcd(self.layout))
        self._launch("kube-apiserver", arguments.api_server(self.layout))
        self._await("the API server", self._api_ready, _API_TIMEOUT_S, "kube-apiserver")
        progress("starting the scheduler and the controllers", 0, None)
        self._launch("kube-controller-manager", arguments.controller_manager(self.layout))
        self._launch("kube-scheduler", arguments.scheduler(self.layout))
        self._launch("kwok", arguments.kwok(self.layout))
        with self.client() as client:
            controllers = "kube-controller-manager"
            self._await("the controllers", lambda: _has_service_account(client), _CONTROLLERS_TIMEOUT_S, controllers)

    def stop(self) -> None:
        """End every process."""
        end_processes(self.processes)
        self._children.clear()

    def disown(self) -> None:
        """Let the processes outlive this one."""
        for child in self._children:
            child.disown()

    def require_alive(self) -> None:
        """Raise SandboxError where a process ended, with the end of its log."""
        for child in self._children:
            child.require_alive()

    def _launch(self, name: str, argv: list[str]) -> None:
        self._children.append(start_process(name, argv, self.layout.folder))
        self._record(self.processes)

    def _await(self, what: str, is_ready: Callable[[], bool], timeout_s: float, log_of: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            self.require_alive()
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"{what} of the sandbox did not become ready within {timeout_s:.0f} s.".capitalize(),
                    remedy="try again with fewer other programs running",
                    detail=log_tail(self.layout.folder / f"{log_of}.log"),
                )
            time.sleep(_POLL_S)

    def _api_ready(self) -> bool:
        user = self.layout.certificates.pair(ADMIN)
        with urllib3.PoolManager(
            ca_certs=str(self.layout.certificates.authority),
            cert_file=str(user.certificate),
            key_file=str(user.key),
        ) as pool:
            try:
                reply = pool.request("GET", f"{self.layout.server}/readyz", retries=False, timeout=5.0)
            except urllib3.exceptions.HTTPError:
                return False
            return reply.status == 200


def start_control_plane(folder: Path, binaries: Path, record: Recorder, progress: Progress) -> ControlPlane:
    """A running control plane with its files in `folder`; on failure nothing of it runs.

    Ports are chosen free and may be taken before they are bound, hence more than one attempt.
    """
    certificates = issue_certificates(folder / PKI)
    for attempt in range(1, _ATTEMPTS + 1):
        layout = Layout(binaries=binaries, folder=folder, certificates=certificates, ports=free_ports())
        _write_kubeconfigs(layout)
        plane = ControlPlane(layout, record)
        try:
            # Some of what start waits for would itself wait long for a part that is dead.
            with interrupted_by_death(plane.require_alive, progress):
                plane.start(progress)
        except SandboxError as error:
            plane.stop()
            if attempt == _ATTEMPTS or _PORT_TAKEN not in error.detail:
                raise
        except BaseException:
            plane.stop()
            raise
        else:
            return plane
    raise AssertionError("unreachable: the last attempt returns or raises")


def free_ports() -> Ports:
    """Ports that are free now, all different since they are held at the same time."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(3)]
        for held in taken:
            held.bind((LOOPBACK, 0))
        etcd, etcd_peer, api = (held.getsockname()[1] for held in taken)
    return Ports(etcd=etcd, etcd_peer=etcd_peer, api=api)


def _write_kubeconfigs(layout: Layout) -> None:
    for user in USERS:
        path = layout.kubeconfig(user)
        path.unlink(missing_ok=True)
        write_kubeconfig(path, layout.server, layout.certificates.authority, layout.certificates.pair(user))


def _has_service_account(client: ApiClient) -> bool:
    """Whether the controllers made the account that every pod of the default namespace runs as."""
    try:
        read_json(client, "/api/v1/namespaces/default/serviceaccounts/default")
    except ApiException as error:
        if error.status == 404:
            return False
        raise
    return True
