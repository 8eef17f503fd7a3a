"""What the conflict rules look at: a config's values by dotted camelCase path, and figures derived from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Network, ip_network
from itertools import combinations
from typing import Any

from l4serve.config.cluster import Cluster, ExistingCluster, ManagedCluster
from l4serve.config.data_file import load_data
from l4serve.config.node_pool import NodePool
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.location import region_of
from l4serve.planning.machines.shapes import MachineShape, find_shape
from l4serve.planning.machines.zones import accelerator_regions, accelerator_zones

_UTC = "%Y-%m-%dT%H:%M:%SZ"


class Facts(dict[str, Any]):
    """Facts by name; a message may name any of them."""

    def __missing__(self, key: str) -> None:
        return None


def cluster_facts(config: Cluster) -> Facts:
    """Facts of a cluster."""
    facts = Facts(_flatten(config.model_dump(by_alias=True)))
    if isinstance(config, ExistingCluster):
        return facts
    region = region_of(config.location)
    facts |= {
        "regional": config.location == region,
        "region": region,
        "zonesOutside": _outside(facts["zones"] or (), region),
        "zonesHaveLocation": config.location in (facts["zones"] or ()),
        "systemPoolGpu": find_shape(str(facts["systemPool.machineType"])) is not None,
        "keyRegion": (config.database_encryption_key or "////").split("/")[3] or None,
    }
    return Facts(facts | _network_facts(config) | _maintenance_facts(config))


def pool_facts(config: NodePool, shape: MachineShape | None, cluster: ClusterPlan) -> Facts:
    """Facts of a pool on its cluster; those about the machine are None when its type is unknown."""
    facts = Facts(_flatten(config.model_dump(by_alias=True)))
    zones = config.zones or ((cluster.location,) if cluster.location and not cluster.regional else ())
    reserved = load_data(__file__, "conflicts.yaml")["reservedLabelPrefixes"]
    keys = [taint.key for taint in config.taints]
    facts |= {
        "effectiveProvisioning": config.effective_provisioning,
        "cluster.mode": cluster.mode,
        "cluster.named": cluster.name is not None,
        "cluster.location": cluster.location,
        "cluster.releaseChannel": cluster.managed.release_channel if cluster.managed else None,
        "cluster.imageStreaming": cluster.managed.image_streaming if cluster.managed else None,
        "zonesOutside": _outside(zones, cluster.region) if cluster.region else "",
        "zoneCount": len(zones) or (None if cluster.regional else 1),
        "duplicateZones": _twice(config.zones),
        "duplicateTaints": _twice([*keys, "nvidia.com/gpu"]),
        "reservedLabels": ", ".join(k for k in config.labels if k.startswith(tuple(reserved))),
        "surgeTotal": (config.upgrade.max_surge or 0) + (config.upgrade.max_unavailable or 0),
        "surgeSet": config.upgrade.max_surge is not None or config.upgrade.max_unavailable is not None,
    }
    return Facts(facts | _machine_facts(config, shape, cluster, zones)) if shape else facts


def _machine_facts(config: NodePool, shape: MachineShape, cluster: ClusterPlan, zones: Iterable[str]) -> dict[str, Any]:
    family = shape.machine_type.split("-")[0]
    families = load_data(__file__, "conflicts.yaml")["families"].get(family, {})
    region = cluster.region
    offered = accelerator_zones(shape.accelerator, region) if region else ()
    wanted = (config.local_ssd.count if config.local_ssd else None) or max(shape.local_ssd_counts)
    lacking = [zone for zone in zones if region and offered and zone not in offered]
    return {
        "accelerator": shape.accelerator,
        "family": family,
        "bootDisks": ", ".join(families.get("bootDisks", [])),
        "bootDiskRefused": "bootDisks" in families and config.disk_type not in families["bootDisks"],
        "compactPlacement": families.get("compactPlacement"),
        "localSsdCounts": ", ".join(str(n) for n in shape.local_ssd_counts if n),
        "localSsdRefused": config.local_ssd is not None and wanted not in [n for n in shape.local_ssd_counts if n],
        "regionLacks": bool(region) and not offered and not config.allow_unlisted_zones,
        "zonesLacking": "" if config.allow_unlisted_zones else ", ".join(lacking),
        "zonesOffered": ", ".join(offered),
        "regionsOffered": ", ".join(accelerator_regions(shape.accelerator)),
    }


def _network_facts(config: ManagedCluster) -> dict[str, Any]:
    options = config.network_options
    wanted = {"nodesCidr": options.nodes_cidr, "podsCidr": options.pods_cidr, "servicesCidr": options.services_cidr}
    ranges = {name: net for name, text in wanted.items() if (net := _network(text)) is not None}
    overlaps = [f"{a} and {b}" for a, b in combinations(ranges, 2) if ranges[a].overlaps(ranges[b])]
    allowed = [(net.cidr, _network(net.cidr)) for net in config.authorized_networks]
    bad = [text for text in (*wanted.values(), *(net.cidr for net in config.authorized_networks)) if not _network(text)]
    pods = ranges.get("podsCidr")
    per_node = (getattr(config, "max_pods_per_node", None) or 32) * 2
    return {
        "badCidrs": ", ".join(bad),
        "overlappingRanges": "; ".join(overlaps) if config.network is None else "",
        "publicAuthorized": ", ".join(text for text, net in allowed if net and not net.is_private),
        "openAuthorized": ", ".join(text for text, net in allowed if net and net.prefixlen == 0),
        "effectiveIp": config.control_plane.ip_endpoint or ("public" if config.authorized_networks else "private"),
        "podsRangesIncomplete": (options.pods_range is None) != (options.services_range is None),
        "nodesForPods": pods.num_addresses // per_node if pods and config.network is None else None,
    }


def _maintenance_facts(config: ManagedCluster) -> dict[str, Any]:
    window = config.maintenance
    if window is None:
        return {}
    hours = _hours(window.start, window.end)
    long = [e.name for e in window.exclusions if e.scope == "NO_UPGRADES" and _hours(e.start, e.end) > 30 * 24]
    return {
        "windowHours": hours,
        "windowHoursIn32Days": hours * _windows_in_32_days(window.recurrence) if hours > 0 else None,
        "exclusionsBackwards": ", ".join(e.name for e in window.exclusions if _hours(e.start, e.end) <= 0),
        "exclusionsLong": ", ".join(long),
        "fullExclusions": sum(e.scope == "NO_UPGRADES" for e in window.exclusions),
    }


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        path = f"{prefix}{key}"
        yield path, value
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{path}.")


def _network(text: str) -> IPv4Network | None:
    """The network, or None when the text is no network (host bits set, an octet above 255)."""
    try:
        network = ip_network(text)
    except ValueError:
        return None
    return network if isinstance(network, IPv4Network) else None


def _outside(zones: Iterable[str], region: str) -> str:
    return ", ".join(zone for zone in zones if region_of(zone) != region)


def _twice(values: Iterable[str]) -> str:
    values = list(values)
    return ", ".join(sorted({value for value in values if values.count(value) > 1}))


def _windows_in_32_days(rule: str) -> int:
    """Windows that a recurrence rule surely has in any 32 days; unknown frequencies count as daily."""
    parts = dict(part.split("=", 1) for part in rule.split(";"))
    interval = int(parts.get("INTERVAL", "1"))
    match parts["FREQ"]:
        case "DAILY":
            return 32 // interval
        case "WEEKLY":
            return len(parts.get("BYDAY", "MO").split(",")) * (4 // interval)
        case "MONTHLY":
            return max(1, len(parts.get("BYMONTHDAY", parts.get("BYDAY", "1")).split(","))) // interval
        case _:
            return 32


def _hours(start: str, end: str) -> float:
    first, last = (datetime.strptime(text, _UTC).replace(tzinfo=UTC) for text in (start, end))
    return (last - first).total_seconds() / 3600
