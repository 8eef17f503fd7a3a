"""The HTTP client of every check: whom it trusts, how much of an answer it reads, and what keeps it from starting."""

import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.request import getproxies

import httpx2

from l4serve.verification.checks import OverlongError
from l4serve.verification.target import Target

MOST_BYTES = 8 * 2**20
"""Of one answer, after decompression. The metrics of eight engines and the vectors of a short text are far less."""


class UnusableVariableError(RuntimeError):
    """A variable of the environment keeps the client from starting; the message names it and the remedy."""


def client(target: Target, **settings: Any) -> httpx2.Client:
    """A client that reads at most `MOST_BYTES` of an answer, for at most the target's timeout; then OverlongError."""
    return httpx2.Client(
        timeout=target.timeout,
        verify=_certificates(through_tunnel=target.through_tunnel),
        event_hooks={"response": [lambda response: _bound(response, target.timeout)]},
        **settings,
    )


def require_usable_environment(*, through_tunnel: bool) -> None:
    """Raises UnusableVariableError where a proxy or certificates of the environment keep the client from starting."""
    try:
        httpx2.Client(verify=_certificates(through_tunnel=through_tunnel)).close()
    # Each library below has errors of its own for an address or a file that it cannot use.
    except Exception as error:
        named = _culprit()
        if named is None:
            raise
        raise UnusableVariableError(named) from error


def _certificates(*, through_tunnel: bool) -> ssl.SSLContext:
    """Those that the machine trusts, or any at the end of a tunnel."""
    return _any_certificate() if through_tunnel else _trusted()


@cache
def _trusted() -> ssl.SSLContext:
    """The machine's trusted certificates, read once: each client would read them anew."""
    return httpx2.create_ssl_context()


@cache
def _any_certificate() -> ssl.SSLContext:
    """No certificate names this machine's end of a tunnel; the cluster has said which pod is at the other one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _bound(response: httpx2.Response, seconds: float) -> None:
    """Has an answer decompressed within its bounds: the client itself would join it whole before anyone counts."""
    encoded = {"content-encoding": response.headers.pop("content-encoding", "identity")}
    inner = httpx2.Response(response.status_code, headers=encoded, stream=response.stream, request=response.request)
    response.stream = _BoundedStream(inner, seconds)


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, response: httpx2.Response, seconds: float) -> None:
        self._response, self._seconds = response, seconds

    def __iter__(self) -> Iterator[bytes]:
        request = self._response.request
        what = f"{request.method} {request.url.path} answered"
        left, end = MOST_BYTES, time.monotonic() + self._seconds
        for part in self._response.iter_bytes():
            left -= len(part)
            if left < 0:
                raise OverlongError(f"{what} more than {MOST_BYTES >> 20} MiB, which no such answer needs")
            if time.monotonic() > end:
                raise OverlongError(f"{what} for more than the {self._seconds:g} s it may take")
            yield part

    def close(self) -> None:
        self._response.close()


def _culprit() -> str | None:
    """What is wrong with the first variable that keeps a client from starting, and what to do."""
    for scheme in ("http", "https", "all"):
        proxy = getproxies().get(scheme, "")
        if proxy and (wrong := _wrong_with(proxy)):
            # A proxy for other hosts stops the client too, so a host's name in NO_PROXY would not help.
            name = _name_of(f"{scheme}_proxy", proxy, os.environ)
            return f"{name} {wrong}\n    fix: unset {name}, or ask without any proxy by NO_PROXY='*'"
    for name, use in _USES.items():
        try:
            use(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), os.environ[name])
        except KeyError:
            continue
        except OSError:
            return f"{name} names what cannot be used as such a file\n    fix: unset {name}, or name another file"
    return None


_USES: Mapping[str, Callable[[ssl.SSLContext, str], None]] = {
    "SSL_CERT_FILE": lambda context, path: context.load_verify_locations(cafile=path),
    "SSL_CERT_DIR": lambda context, path: context.load_verify_locations(capath=path),
    "SSLKEYLOGFILE": lambda context, path: setattr(context, "keylog_filename", path),
}
"""What a client does with the variables of TLS."""


def _wrong_with(proxy: str) -> str:
    try:
        with httpx2.Client(proxy=proxy if "://" in proxy else f"http://{proxy}", verify=_any_certificate()):
            return ""
    except ImportError:
        return "names a SOCKS proxy, which needs the package socksio"
    except (ValueError, httpx2.InvalidURL):
        return "is not the address of a proxy, such as http://10.0.0.8:3128"


def _name_of(name: str, proxy: str, environment: Mapping[str, str]) -> str:
    return next((key for key, value in environment.items() if key.lower() == name and value == proxy), name.upper())
