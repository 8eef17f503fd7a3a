"""TLS at the pods: the engine's own arguments for a certificate that is mounted from a Secret."""

from collections.abc import Iterator

from l4serve.config.frozen import frozen
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import refuse
from l4serve.engines.releases.contract import Contract

CERTIFICATE_FOLDER = "/var/run/secrets/serving-tls"
_FILES = {"--ssl-certfile": "tls.crt", "--ssl-keyfile": "tls.key"}
_REFRESH = "--enable-ssl-refresh"
"""Reads a renewed certificate without a restart."""


@frozen(kw_only=True)
class TlsPlan:
    """Where the certificate comes from, and what the engine is told of it."""

    secret: str
    args: tuple[str, ...]


def plan_tls(path: str, workload: Workload, contract: Contract) -> TlsPlan | None:
    """The TLS of a workload's pods; None where they speak plain HTTP. `path` is the workload's own in the config.

    Raises ConfigError where the release serves no TLS.
    """
    config = workload.service.tls
    if config is None:
        return None
    if any(contract.flag(flag) is None for flag in _FILES):
        what = f"{contract.name} serves plain HTTP only"
        refuse(f"{path}.service.tls", what, "remove it, and end TLS at the gateway: expose.certificate")
    return TlsPlan(secret=config.secret, args=tuple(_arguments(contract)))


def _arguments(contract: Contract) -> Iterator[str]:
    yield from (f"{flag}={CERTIFICATE_FOLDER}/{file}" for flag, file in _FILES.items())
    if contract.flag(_REFRESH) is not None:
        yield _REFRESH
