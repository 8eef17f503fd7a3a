"""A loopback TCP port that leads to a pod: each connection becomes one port-forward stream of the Kubernetes API."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from kubernetes import client as api
from kubernetes.client import ApiClient
from kubernetes.stream import portforward

from l4serve.verification.checks import describe
from l4serve.verification.service_pod import PodPort

_CHUNK = 64 * 1024
_POLL_SECONDS = 0.2


class Stream(Protocol):
    """One open connection to the pod's port."""

    def recv(self, size: int) -> bytes:
        """Next bytes; empty at the end."""

    def sendall(self, data: bytes) -> None:
        """Writes all bytes."""

    def close(self) -> None:
        """Ends the connection and wakes a waiting `recv`."""

    def error(self) -> str | None:
        """What the cluster says went wrong on the pod's side."""


@dataclass
class Tunnel:
    """An open way to the pod."""

    port: int
    errors: list[str] = field(default_factory=list)
    """What went wrong on the way, in order; not what the server answered."""

    @property
    def url(self) -> str:
        """Base URL on this machine."""
        return f"http://127.0.0.1:{self.port}"


def pod_stream(client: ApiClient, target: PodPort) -> Callable[[], Stream]:
    """Opens streams to a pod's port with the Kubernetes client; raises ApiException where the API refuses."""
    # The client swaps its transport while it opens a stream, so two may not open at once.
    opening = threading.Lock()

    def open_stream() -> Stream:
        with opening:
            forward = portforward(
                api.CoreV1Api(client).connect_get_namespaced_pod_portforward,
                target.pod,
                target.namespace,
                ports=str(target.port),
            )
        return _PodStream(forward, target.port)

    return open_stream


@contextmanager
def forwarded(open_stream: Callable[[], Stream]) -> Iterator[Tunnel]:
    """A tunnel that lives as long as the block; every connection through it is closed at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(_POLL_SECONDS)
    tunnel = Tunnel(listener.getsockname()[1])
    ending = threading.Event()
    bridges: list[_Bridge] = []
    acceptor = threading.Thread(target=_accept, args=(listener, open_stream, tunnel, bridges, ending), daemon=True)
    acceptor.start()
    try:
        yield tunnel
    finally:
        ending.set()
        acceptor.join()
        listener.close()
        for bridge in bridges:
            bridge.close()


def _accept(
    listener: socket.socket,
    open_stream: Callable[[], Stream],
    tunnel: Tunnel,
    bridges: list["_Bridge"],
    ending: threading.Event,
) -> None:
    while not ending.is_set():
        try:
            local, _ = listener.accept()
        except TimeoutError:
            continue
        local.settimeout(None)
        # Tokens must not wait for each other's acknowledgement, which would count as the server's latency.
        local.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            stream = open_stream()
        # The reason must reach the report: to the client it is but a closed connection.
        except Exception as error:
            tunnel.errors.append(describe(error))
            local.close()
            continue
        bridge = _Bridge(local, stream, tunnel.errors)
        bridges.append(bridge)
        bridge.start()


class _Bridge:
    """Copies bytes both ways until either side ends."""

    def __init__(self, local: socket.socket, stream: Stream, errors: list[str]) -> None:
        self._local, self._stream, self._errors = local, stream, errors

    def start(self) -> None:
        for pump in (self._upstream, self._downstream):
            threading.Thread(target=pump, daemon=True).start()

    def close(self) -> None:
        self._stream.close()
        with suppress(OSError):
            self._local.shutdown(socket.SHUT_RDWR)
        self._local.close()

    def _upstream(self) -> None:
        with suppress(OSError):
            while data := self._local.recv(_CHUNK):
                self._stream.sendall(data)
        self._stream.close()

    def _downstream(self) -> None:
        with suppress(OSError):
            while data := self._stream.recv(_CHUNK):
                self._local.sendall(data)
        if reason := self._stream.error():
            self._errors.append(reason)
        self.close()


class _PodStream:
    def __init__(self, forward: object, port: int) -> None:
        self._forward, self._port = forward, port
        self._socket: socket.socket = forward.socket(port)  # type: ignore[attr-defined]

    def recv(self, size: int) -> bytes:
        return self._socket.recv(size)

    def sendall(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        # close() alone would leave a thread waiting in recv().
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def error(self) -> str | None:
        text: str | None = self._forward.error(self._port)  # type: ignore[attr-defined]
        return text or None
