"""Who may connect to a workload's pods, and where they may connect to: a NetworkPolicy, closed by default."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cache
from ipaddress import ip_network
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.network_policy import NetworkPeer, NetworkPolicy
from l4serve.engines.argv import Launch
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.gateway import GatewayPlan, health_check_ranges
from l4serve.planning.workload.reach.closed_ways import closed_media, closed_ways

_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_EVERYWHERE = "0.0.0.0/0"


@frozen(kw_only=True)
class Peer:
    """One side of a connection: addresses, or pods of a namespace; neither is every pod of the workload's own."""

    cidr: str | None = None
    outside: tuple[str, ...] = ()
    """Ranges inside `cidr` that do not count."""
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    google: bool = False
    """Whether it is Google's: a load balancer's proxies and health checks, or a collector of metrics."""

    @property
    def namespace_labels(self) -> Mapping[str, str] | None:
        """Labels that select the namespace; None is the workload's own."""
        return {_NAMESPACE_LABEL: self.namespace} if self.namespace else None

    @property
    def text(self) -> str:
        """Whom it means, in words."""
        if self.cidr is not None:
            return f"{self.cidr} but {', '.join(self.outside)}" if self.outside else self.cidr
        pods = " ".join(f"{key}={value}" for key, value in self.labels.items()) or "pods"
        return f"{pods} of {self.namespace}" if self.namespace else f"{pods} of its own namespace"


@frozen(kw_only=True)
class Opening:
    """Connections that are let through: with any of the peers, at any of the ports."""

    peers: tuple[Peer, ...]
    ports: tuple[tuple[str, int], ...]
    """(protocol, port)"""

    @property
    def texts(self) -> Iterator[str]:
        """A line for each peer, with the ports there."""
        ports = ", ".join(f"{protocol} {port}" for protocol, port in self.ports)
        yield from (f"{peer.text} ({ports})" for peer in self.peers)


@frozen(kw_only=True)
class NetworkGuard:
    """All that is let through to the pods of a workload, and from them."""

    ingress: tuple[Opening, ...]
    egress: tuple[Opening, ...]
    notes: tuple[str, ...] = ()
    fill: "NetworkGuard | None" = None
    """Of the Job that fills a disk with weights; None where there is none."""
    picker: "NetworkGuard | None" = None
    """Of the endpoint picker; None where there is none."""

    @property
    def admits(self) -> tuple[str, ...]:
        """Who may connect to the pods, in words."""
        return tuple(text for opening in self.ingress for text in opening.texts)

    @property
    def reaches(self) -> tuple[str, ...]:
        """Where the pods may connect to, in words."""
        return tuple(text for opening in self.egress for text in opening.texts)

    @property
    def beside(self) -> tuple[str, ...] | None:
        """What is let through to and from the pods that stand beside the workload's, in words; None without such."""
        found = [f"fill to {text}" for text in (self.fill.reaches if self.fill else ())]
        if self.picker is not None:
            found += [f"picker from {text}" for text in self.picker.admits]
            found += [f"picker to {text}" for text in self.picker.reaches]
        return tuple(found) or None


def plan_network_guard(
    config: NetworkPolicy,
    cluster: ClusterPlan,
    *,
    port: int,
    service_type: str,
    scraped: bool,
    goes_outside: bool,
    media: bool = False,
    gateway: GatewayPlan | None = None,
    launch: Launch | None = None,
    fills: bool = False,
    picker_ports: Mapping[str, int] | None = None,
) -> NetworkGuard | None:
    """The policy of a workload's pods; None where the config turns it off.

    `port` is the engine's, `scraped` whether Managed Service for Prometheus collects its metrics, `goes_outside`
    whether anything that it loads comes from outside the cluster, or it has a role on a bucket, `media` whether its
    requests may name pictures by URL, `gateway` what exposes the workload, `launch` what the engine is told, `fills`
    whether a Job fetches the weights first, `picker_ports` those of its endpoint picker.
    """
    if not config.enabled:
        return None
    callers = (Peer(), *_load_balancers(service_type), *_proxies(gateway), *(map(_peer, config.from_)))
    ingress = [Opening(peers=callers, ports=(("TCP", port),))]
    if scraped:
        collectors = tuple(Peer(namespace=name, google=True) for name in _facts()["collectors"]["namespaces"])
        ingress.append(Opening(peers=collectors, ports=(("TCP", port),)))
    outside = Opening(peers=(Peer(cidr=_EVERYWHERE, outside=_own_ranges(cluster)),), ports=(("TCP", 443),))
    egress = [*_of_every_pod(), *((outside,) if goes_outside else ())]
    opened = tuple(Opening(peers=(_peer(there),), ports=(("TCP", there.port),)) for there in config.to)
    egress += opened
    return NetworkGuard(
        ingress=tuple(ingress),
        egress=tuple(egress),
        notes=(*closed_ways(config, launch), *(closed_media(config, launch) if media and not goes_outside else ())),
        fill=NetworkGuard(ingress=(), egress=(*_of_every_pod(), outside, *opened)) if fills else None,
        picker=_picker_guard(picker_ports, gateway, port) if picker_ports else None,
    )


def admitted_anew(old: NetworkGuard, new: NetworkGuard) -> tuple[str, ...]:
    """Who may connect to the pods under the new policy and not under the old one, Google's own left out, in words."""
    before = [peer for opening in old.ingress for peer in opening.peers]
    ranges = [ip_network(peer.cidr, strict=False) for peer in before if peer.cidr and not peer.outside]
    found = []
    for peer in (peer for opening in new.ingress for peer in opening.peers if not peer.google):
        inside = peer.cidr is not None and any(
            ip_network(peer.cidr, strict=False).subnet_of(known)  # type: ignore[arg-type]
            for known in ranges
        )
        if peer not in before and not inside:
            found.append(peer.text)
    return tuple(dict.fromkeys(found))


def _picker_guard(ports: Mapping[str, int], gateway: GatewayPlan | None, engine_port: int) -> NetworkGuard:
    """The picker answers the load balancer's proxies, reads the engines' metrics and watches the API server.

    Nobody knows the API server's address before it is there, so port 443 is open to any.
    """
    asked = tuple(("TCP", ports[name]) for name in ("choices", "health"))
    reached = (
        Opening(peers=(Peer(),), ports=(("TCP", engine_port),)),
        Opening(peers=(Peer(cidr=_EVERYWHERE),), ports=(("TCP", 443),)),
    )
    return NetworkGuard(
        ingress=(Opening(peers=tuple(_proxies(gateway)), ports=asked),), egress=(*_of_every_pod(), *reached)
    )


def _load_balancers(service_type: str) -> Iterator[Peer]:
    """Clients of an internal load balancer or of a node's port keep their own addresses, or bear a node's."""
    if service_type != "ClusterIP":
        yield from (Peer(cidr=cidr) for cidr in _facts()["private"]["ranges"] if not cidr.startswith("169.254."))


def _proxies(gateway: GatewayPlan | None) -> Iterator[Peer]:
    """A gateway's requests come from its proxies, its health checks from Google's own ranges."""
    if gateway is not None:
        yield from (Peer(cidr=cidr, google=True) for cidr in (gateway.proxy_cidr, *health_check_ranges()))


@cache
def _of_every_pod() -> tuple[Opening, ...]:
    """Names, and tokens of Workload Identity."""
    dns = _facts()["dns"]
    servers = (
        *(Peer(namespace=dns["namespace"], labels=labels) for labels in dns["labels"]),
        *(Peer(cidr=address) for address in dns["addresses"]),
    )
    names = Opening(peers=servers, ports=(("UDP", dns["port"]), ("TCP", dns["port"])))
    tokens = (
        Opening(peers=(Peer(cidr=server["address"]),), ports=(("TCP", server["port"]),))
        for server in _facts()["metadata"]
    )
    return (names, *tokens)


def _own_ranges(cluster: ClusterPlan) -> tuple[str, ...]:
    """Private ranges, and those of the cluster that are none of them."""
    network = cluster.managed.network if cluster.managed else None
    own = (network.nodes_cidr, network.pods_cidr, network.services_cidr) if network else ()
    return _beside_private(tuple(cidr for cidr in own if cidr))


@cache
def _beside_private(own: tuple[str, ...]) -> tuple[str, ...]:
    private = [ip_network(cidr) for cidr in _facts()["private"]["ranges"]]
    public = [c for c in own if not any(ip_network(c, strict=False).subnet_of(p) for p in private)]  # type: ignore[arg-type]
    return (*map(str, private), *public)


def _peer(config: NetworkPeer) -> Peer:
    return Peer(cidr=config.cidr, namespace=config.namespace)


@cache
def _facts() -> Mapping[str, Any]:
    facts: Mapping[str, Any] = load_data(__file__, "network.yaml")
    return facts
