"""Places that an engine is told to connect to, and that the policy of its pods may not let it reach."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from l4serve.config.data_file import load_data
from l4serve.config.keys.network_policy import NetworkDestination, NetworkPolicy
from l4serve.engines.argv import Launch

_PORTS = {"https": 443, "http": 80, "grpc": 4317}


def closed_ways(config: NetworkPolicy, launch: Launch | None) -> Iterator[str]:
    """A sentence for each proxy, mirror or collector that no rule opens, nor the config.

    A place that a Secret or a ConfigMap names is told of too, unless the config opens some: nobody knows where it is.
    """
    if launch is None or not config.enabled:
        return
    named = load_data(__file__, "network.yaml")["named"]
    told = [(name, launch.env.get(name)) for name in named["variables"] if name in launch.env]
    told += [(name, None) for name in named["variables"] if name in launch.env_sources]
    for flag in named["flags"]:
        told += [(flag, word.partition("=")[2]) for word in launch.argv if word.startswith(f"{flag}=")]
    for name, value in told:
        if not (bool(config.to) if value is None else _is_public(value) or _is_opened(value, config)):
            yield f"{name} names a place that the pods' NetworkPolicy may close: port 443 of public addresses is open"


def closed_media(config: NetworkPolicy, launch: Launch | None) -> Iterator[str]:
    """What a model of several media loses whose pods are let out to no public address: what requests name by URL."""
    text_alone = launch is not None and any(word.startswith("--language-model-only") for word in launch.argv)
    if config.enabled and not text_alone and not any(there.port == 443 for there in config.to):
        yield "requests that name a picture, a video or a sound by URL fail: the pods' NetworkPolicy closes port 443"


def ways_out() -> tuple[str, ...]:
    """Variables that name a proxy, a mirror or a collector."""
    return tuple(load_data(__file__, "network.yaml")["named"]["variables"])


def _is_public(address: str) -> bool:
    """Whether a URL or a host and port is port 443 of a public host."""
    host, port = _place(address)
    return port == 443 and _is_public_host(host)


def _is_opened(address: str, config: NetworkPolicy) -> bool:
    """Whether the config opens the port there; of a name, any range may have its addresses."""
    host, port = _place(address)
    return any(there.port == port and _may_be(host, there) for there in config.to)


def _may_be(host: str, there: NetworkDestination) -> bool:
    if there.cidr is None:
        return host.split(".")[1:2] in ([], [there.namespace])
    try:
        return ip_address(host) in ip_network(there.cidr, strict=False)
    except ValueError:
        return True


def _place(address: str) -> tuple[str, int | None]:
    """Host and port of a URL, or of a host and port; an empty host where it is neither."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return "", None


def _is_public_host(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".svc"))
