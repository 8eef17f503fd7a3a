"""What the conflict rules look at: a config's values by dotted camelCase path, and figures derived from them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

from pydantic import BaseModel

from l4serve.config.data_file import load_data
from l4serve.config.keys.base import field_paths
from l4serve.config.keys.cluster import AutopilotCluster, Cluster, ExistingCluster, ManagedCluster, StandardCluster
from l4serve.config.keys.node_pool import NodePool
from l4serve.config.words.regions import known_regions, meant_zone, zones_of
from l4serve.engines.conditions import Facts
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.location import region_of
from l4serve.planning.machines.allocatable import most_measured_ssds
from l4serve.planning.machines.machine_types import nearest_existing
from l4serve.planning.machines.shapes import MachineShape, carries_gpus
from l4serve.planning.machines.system_machines import is_arm
from l4serve.planning.machines.zones import accelerator_zones, near_locations, zones_are_complete

_UTC = "%Y-%m-%dT%H:%M:%SZ"


_CLUSTER_DERIVED = (
    *(
        "regional",
        "region",
        "zonesOutside",
        "zonesMeant",
        "zonesUnknown",
        "zonesHaveLocation",
        "systemPoolGpu",
        "systemPoolArm",
        "systemFallbackGpu",
        "systemFallbackArm",
        "systemMachineMeant",
        "systemFallbackWrong",
        "systemFallbackMeant",
        "systemZonesOutside",
        "systemZonesMeant",
        "systemZonesUnknown",
        "systemPoolTwice",
        "keyRegion",
    ),
    *("overlappingRanges", "publicAuthorized", "openAuthorized", "effectiveIp", "podsRangesIncomplete", "nodesForPods"),
    *("windowHours", "windowHoursIn32Days", "badRecurrence", "exclusionsBackwards", "exclusionsLong", "fullExclusions"),
)
_MACHINE_DERIVED = (
    *("accelerator", "family", "bootDisks", "bootDiskRefused", "compactPlacement", "localSsdCounts"),
    *(
        "localSsdRefused",
        "localSsdUnknown",
        "localSsdUnmeasured",
        "regionLacks",
        "zonesLacking",
        "zonesNamed",
        "zonesOffered",
    ),
    *("regionTold", "regionsOffered", "soldAs", "notSold"),
)


def cluster_inputs(config: Cluster) -> Facts:
    """Every fact of a cluster; None where it says nothing, or is of a kind that has no such key."""
    unsaid = dict.fromkeys((*_names(StandardCluster, AutopilotCluster, ExistingCluster), *_CLUSTER_DERIVED))
    return _said({**unsaid, **_cluster_facts(config)})


def _cluster_facts(config: Cluster) -> dict[str, Any]:
    facts = dict(_flatten(_written(config)))
    if isinstance(config, ExistingCluster):
        return facts
    region = region_of(config.location)
    first = facts.get("systemPool.machineType")
    system = (("systemPool", (first,) if first else ()), ("systemFallback", _fallbacks(facts)))
    facts |= {
        "regional": config.location == region,
        "region": region,
        **_zone_facts("zones", facts.get("zones") or (), region),
        "zonesHaveLocation": config.location in (facts.get("zones") or ()),
        **{f"{where}Gpu": ", ".join(filter(carries_gpus, machines)) for where, machines in system},
        **{f"{where}Arm": ", ".join(filter(is_arm, machines)) for where, machines in system},
        "systemMachineMeant": _meant_machine(facts.get("systemPool.machineType") or ""),
        "systemFallbackWrong": ", ".join(filter(_meant_machine, _fallbacks(facts))),
        "systemFallbackMeant": ", ".join(filter(None, map(_meant_machine, _fallbacks(facts)))),
        **_zone_facts("systemZones", facts.get("systemPool.zones") or (), region),
        "systemPoolTwice": _twice(filter(None, (facts.get("systemPool.machineType"), *_fallbacks(facts)))),
        "keyRegion": (config.database_encryption_key or "////").split("/")[3] or None,
    }
    return facts | _network_facts(config) | _maintenance_facts(config)


def _meant_machine(machine_type: str) -> str | None:
    """The machine type nearest to one that does not exist; None where another rule refuses the series anyway."""
    refused = carries_gpus(machine_type) or is_arm(machine_type)
    return None if refused else nearest_existing(machine_type)


def _fallbacks(facts: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(facts.get("systemPool.fallbackMachineTypes") or ())


def pool_inputs(config: NodePool, shape: MachineShape | None, cluster: ClusterPlan | None) -> Facts:
    """Every fact of a pool on its cluster; those about a machine or a cluster that is unknown are None."""
    facts: dict[str, Any] = {**dict.fromkeys(_names(NodePool)), **dict(_flatten(_written(config)))}
    region = cluster.region if cluster else None
    zones = config.zones or ((cluster.location,) if cluster and cluster.location and not cluster.regional else ())
    reserved = load_data(__file__, "conflicts.yaml")["reservedLabelPrefixes"]
    keys = [taint.key for taint in config.taints]
    facts |= {
        "effectiveProvisioning": config.effective_provisioning,
        **_facts_of_cluster(cluster),
        **_zone_facts("zones", zones, region),
        "zoneCount": len(zones) or (None if cluster is None or cluster.regional else 1),
        "duplicateZones": _twice(config.zones),
        "duplicateTaints": _twice([*keys, "nvidia.com/gpu"]),
        "reservedLabels": ", ".join(k for k in config.labels if k.startswith(tuple(reserved))),
        "surgeTotal": (config.upgrade.max_surge or 0) + (config.upgrade.max_unavailable or 0),
        "surgeSet": config.upgrade.max_surge is not None or config.upgrade.max_unavailable is not None,
    }
    machine = _machine_facts(config, shape, region, zones) if shape else dict.fromkeys(_MACHINE_DERIVED)
    return _said({**facts, **machine})


def _facts_of_cluster(cluster: ClusterPlan | None) -> dict[str, Any]:
    managed = cluster.managed if cluster else None
    return {
        "cluster.mode": cluster.mode if cluster else None,
        "cluster.named": cluster.name is not None if cluster else True,
        "cluster.location": cluster.location if cluster else None,
        "cluster.releaseChannel": managed.release_channel if managed else None,
        "cluster.imageStreaming": managed.image_streaming if managed else None,
    }


def _machine_facts(config: NodePool, shape: MachineShape, region: str | None, zones: Iterable[str]) -> dict[str, Any]:
    family = shape.machine_type.split("-")[0]
    families = load_data(__file__, "conflicts.yaml")["families"].get(family, {})
    offered = accelerator_zones(shape.accelerator, region) if region else ()
    listed = zones_are_complete(shape.accelerator) and not config.allow_unlisted_zones
    lacking = [zone for zone in zones if offered and region_of(zone) == region and zone not in offered]
    return {
        "accelerator": shape.accelerator,
        "family": family,
        "soldAs": ", ".join(shape.sold_as),
        "notSold": config.effective_provisioning not in shape.sold_as,
        "bootDisks": ", ".join(families.get("bootDisks", [])),
        "bootDiskRefused": "bootDisks" in families and config.disk_type not in families["bootDisks"],
        "compactPlacement": families.get("compactPlacement"),
        "regionLacks": bool(region) and not offered and listed,
        "zonesLacking": ", ".join(lacking) if listed else "",
        "zonesNamed": bool(config.zones),
        "zonesOffered": ", ".join(offered),
        "regionTold": region if region in known_regions() else f"{region} (in no table of Google Cloud's regions)",
        "regionsOffered": ", ".join(near_locations(shape.accelerator, region, zones=False)) if region else "",
        **_local_ssd_facts(config, shape),
    }


def _local_ssd_facts(config: NodePool, shape: MachineShape) -> dict[str, Any]:
    wanted = config.local_ssd
    known = [count for count in shape.local_ssd_counts or () if count]
    count = (wanted.count if wanted else None) or shape.most_local_ssds
    return {
        "localSsdCounts": ", ".join(map(str, known)),
        "localSsdRefused": wanted is not None and shape.local_ssd_counts is not None and count not in known,
        "localSsdUnknown": wanted is not None and shape.local_ssd_counts is None and wanted.count is None,
        "localSsdUnmeasured": wanted is not None and wanted.use == "ephemeral" and count > most_measured_ssds(),
    }


def _network_facts(config: ManagedCluster) -> dict[str, Any]:
    options = config.network_options
    wanted = {"nodesCidr": options.nodes_cidr, "podsCidr": options.pods_cidr, "servicesCidr": options.services_cidr}
    ranges = {name: IPv4Network(text) for name, text in wanted.items()}
    overlaps = [f"{a} and {b}" for a, b in combinations(ranges, 2) if ranges[a].overlaps(ranges[b])]
    allowed = [(net.cidr, IPv4Network(net.cidr)) for net in config.authorized_networks]
    per_node = (getattr(config, "max_pods_per_node", None) or 32) * 2
    return {
        "overlappingRanges": "; ".join(overlaps) if config.network is None else "",
        "publicAuthorized": ", ".join(text for text, net in allowed if not net.is_private),
        "openAuthorized": ", ".join(text for text, net in allowed if net.prefixlen == 0),
        "effectiveIp": config.control_plane.ip_endpoint or ("public" if config.authorized_networks else "private"),
        "podsRangesIncomplete": (options.pods_range is None) != (options.services_range is None),
        "nodesForPods": ranges["podsCidr"].num_addresses // per_node if config.network is None else None,
    }


def _maintenance_facts(config: ManagedCluster) -> dict[str, Any]:
    window = config.maintenance
    if window is None:
        return {}
    hours, windows = _hours(window.start, window.end), _windows_in_32_days(window.recurrence, window.start)
    long = [e.name for e in window.exclusions if e.scope == "NO_UPGRADES" and _hours(e.start, e.end) > 30 * 24]
    return {
        "windowHours": hours,
        "windowHoursIn32Days": hours * windows if hours > 0 and windows is not None else None,
        "badRecurrence": windows is None,
        "exclusionsBackwards": ", ".join(e.name for e in window.exclusions if _hours(e.start, e.end) <= 0),
        "exclusionsLong": ", ".join(long),
        "fullExclusions": sum(e.scope == "NO_UPGRADES" for e in window.exclusions),
    }


def _said(facts: Mapping[str, Any]) -> Facts:
    """The facts with what is empty as unset: a text, list or mapping without content."""
    return {name: None if value in ("", (), [], {}) else value for name, value in facts.items()}


@cache
def _names(*models: type[BaseModel]) -> tuple[str, ...]:
    """The dotted paths of every key of the models, inside nested models too."""
    return tuple(dict.fromkeys(path for model in models for path in field_paths(model)))


def _written(value: Any) -> Any:
    """A config's value with the keys of YAML; pydantic's own dump would compile a serializer for each class first."""
    if isinstance(value, BaseModel):
        return {info.alias or name: _written(getattr(value, name)) for name, info in type(value).model_fields.items()}
    return tuple(map(_written, value)) if isinstance(value, tuple) else value


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        path = f"{prefix}{key}"
        yield path, value
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{path}.")


def _zone_facts(name: str, zones: Iterable[str], region: str | None) -> dict[str, str]:
    """Zones that lie outside a region, those of it that Google Cloud has not, and what the first of either means.

    Nobody knows of either where the region is unknown.
    """
    if not region:
        return dict.fromkeys((f"{name}Outside", f"{name}Unknown", f"{name}Meant"), "")
    outside = [zone for zone in zones if region_of(zone) != region]
    known = zones_of(region)
    unknown = [zone for zone in zones if known and region_of(zone) == region and zone not in known]
    wrong = [*outside, *unknown][:1]
    meant = [meant_zone(zone, region) for zone in wrong]
    return {f"{name}Outside": ", ".join(outside), f"{name}Unknown": ", ".join(unknown), f"{name}Meant": "".join(meant)}


def _twice(values: Iterable[str]) -> str:
    values = list(values)
    return ", ".join(sorted({value for value in values if values.count(value) > 1}))


def _windows_in_32_days(rule: str, start: str) -> int | None:
    """The fewest windows that a recurrence rule has in any 32 days of the two years after its start.

    None where the text is no rule of RFC 5545.
    """
    from dateutil.rrule import rrulestr  # few stacks have a rule

    first = datetime.strptime(start, _UTC).replace(tzinfo=UTC)
    until = first + timedelta(days=2 * 366)
    try:
        days = [window.toordinal() for window in rrulestr(rule, dtstart=first).between(first, until, inc=True)]
    except ValueError:
        return None
    last = (until - timedelta(days=32)).toordinal()
    starts = (first.toordinal(), *(day + 1 for day in days))
    return min(bisect_left(days, day + 32) - bisect_left(days, day) for day in starts if day <= last)


def _hours(start: str, end: str) -> float:
    first, last = (datetime.strptime(text, _UTC).replace(tzinfo=UTC) for text in (start, end))
    return (last - first).total_seconds() / 3600
