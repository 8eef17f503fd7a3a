"""From the cluster's config to the frozen plan of cluster, network, node identity and system pool."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from l4serve.config.frozen import frozen
from l4serve.config.gathering import gather
from l4serve.config.keys.cluster import Cluster, ExistingCluster, ManagedCluster, StandardCluster
from l4serve.config.refusals.problems import refuse
from l4serve.config.words.regions import known_regions, may_be_a_region, meant_region, zones_of
from l4serve.planning.gke.cluster_plan import ClusterPlan, ControlPlanePlan, Endpoint, ManagedPlan, NodeIdentityPlan
from l4serve.planning.gke.conflicts import refuse_cluster
from l4serve.planning.gke.location import region_of
from l4serve.planning.gke.network import plan_network
from l4serve.planning.machines.machine_types import knows_series
from l4serve.planning.values.names import shorten

_ZONES_OF_A_REGION = 3
_COMMON_APIS = ("cloudresourcemanager", "compute", "container", "iam", "logging", "monitoring")


@frozen(kw_only=True)
class ClusterNeeds:
    """What the workloads of a stack need of its cluster, beside what its config says."""

    hpa_profile: str | None = None
    """Profile of horizontal pod autoscaling; None where any does."""
    apis: tuple[str, ...] = ()
    """Google APIs beside those of every cluster, by their short names."""


NO_NEEDS = ClusterNeeds()


def plan_cluster(
    config: Cluster, *, project: str | None, allow_replace: tuple[str, ...] = (), needs: ClusterNeeds = NO_NEEDS
) -> ClusterPlan:
    """Return the plan of the cluster. `project` is gcp:project; `allow_replace` lifts `protect` from `cluster`.

    Raises ConfigError with every combination that GKE or the provider would refuse.
    """
    gather(partial(refuse_cluster, config), partial(refuse_misspelt_location, config.location))
    if isinstance(config, ExistingCluster):
        return _plan_existing(config, project)
    # Else the preview of a destroy passes, and workloads, pools and NAT go before the provider refuses the cluster.
    protect = (config.protect or config.deletion_protection) and "cluster" not in allow_replace
    return _plan_managed(config, config.project or project, protect=protect, needs=needs)


def refuse_misspelt_location(location: str | None) -> None:
    """A region that has never been one is a slip of the pen; where machines are sold is the pools' question."""
    if location is None:
        return
    region = region_of(location)
    if not may_be_a_region(region):
        near = meant_region(region)
        meant = f"did you mean {near}{location.removeprefix(region)}?" if near else ""
        refuse(
            "cluster.location",
            f"Google Cloud has no region {region!r}",
            meant or f"give one of {', '.join(known_regions())}",
        )
    zones = zones_of(region)
    if zones and location not in (region, *zones):
        refuse("cluster.location", f"Google Cloud has no zone {location!r}", f"give one of {', '.join(zones)}")


def _plan_existing(config: ExistingCluster, project: str | None) -> ClusterPlan:
    owner = (config.project or project) if config.name else None
    return ClusterPlan(
        mode="existing",
        name=config.name,
        location=config.location,
        region=region_of(config.location) if config.location else None,
        project=owner,
        regional=config.location is not None and region_of(config.location) == config.location,
        zones=(),
        identifier=_identifier(owner, config.location, config.name)
        if config.name
        else f"kubeconfig/{config.context or 'current-context'}",
        managed=None,
        kubeconfig=config.kubeconfig,
        context=config.context,
        node_service_account=config.node_service_account,
        private_nodes=config.private_nodes,
        protect=False,
        remarks=tuple(_unlisted(config.location)),
    )


def _plan_managed(config: ManagedCluster, project: str | None, *, protect: bool, needs: ClusterNeeds) -> ClusterPlan:
    region = region_of(config.location)
    standard = config if isinstance(config, StandardCluster) else None
    return ClusterPlan(
        mode="standard" if standard else "autopilot",
        name=config.name,
        location=config.location,
        region=region,
        project=project,
        regional=config.location == region,
        zones=standard.zones if standard else (),
        identifier=_identifier(project, config.location, config.name),
        managed=_managed_part(config, needs, region=region, project=project),
        kubeconfig=None,
        context=None,
        node_service_account=config.node_service_account,
        private_nodes=config.private_nodes,
        protect=protect,
        remarks=(*_unlisted(config.location), *_remarks(config, protect=protect)),
    )


def _managed_part(config: ManagedCluster, needs: ClusterNeeds, *, region: str, project: str | None) -> ManagedPlan:
    standard = config if isinstance(config, StandardCluster) else None
    return ManagedPlan(
        network=plan_network(config, region=region, project=project),
        identity=_plan_identity(config, project),
        control_plane=_plan_control_plane(config),
        release_channel=config.release_channel,
        min_version=config.min_version,
        monitoring=config.monitoring,
        maintenance=config.maintenance,
        database_encryption_key=config.database_encryption_key,
        secret_manager=config.secret_manager,
        gateway_api=config.gateway_api,
        cost_allocation=config.cost_allocation,
        resource_labels=tuple(sorted(config.resource_labels.items())),
        apis=_apis(config, needs) if config.enable_apis else (),
        used_apis=_apis(config, needs),
        deletion_protection=config.deletion_protection,
        system_pool=standard.system_pool if standard else None,
        system_nodes=_system_nodes(standard, region) if standard else 0,
        image_streaming=standard.image_streaming if standard else True,
        gcs_fuse=standard.gcs_fuse if standard else True,
        max_pods_per_node=standard.max_pods_per_node if standard else None,
        autoscaling_profile=standard.autoscaling_profile if standard else None,
        hpa_profile=needs.hpa_profile,
    )


def _plan_identity(config: ManagedCluster, project: str | None) -> NodeIdentityPlan:
    return NodeIdentityPlan(
        create=config.node_service_account is None,
        email=config.node_service_account,
        account_id=None if config.node_service_account else shorten(f"{config.name}-nodes", 30),
        display_name=f"Nodes of the GKE cluster {config.name}",
        project=project,
    )


def _plan_control_plane(config: ManagedCluster) -> ControlPlanePlan:
    ip = config.control_plane.ip_endpoint or ("public" if config.authorized_networks else "private")
    dns = config.control_plane.dns_endpoint
    reachable: Endpoint = "public" if ip == "public" else "private"
    return ControlPlanePlan(
        dns=dns,
        ip=ip,
        authorized_networks=tuple((net.cidr, net.name or net.cidr) for net in config.authorized_networks),
        kubeconfig_endpoint="dns" if dns else reachable,
    )


def _system_nodes(config: StandardCluster, region: str) -> int:
    """One node per zone, unless that is more than the pool may have; GKE picks three zones of a region."""
    named = {*config.zones, config.location} - {region}
    own = len(config.system_pool.zones)
    zones = own or len(config.zones) or _ZONES_OF_A_REGION if own or config.location == region else len(named)
    pool = config.system_pool
    return max(pool.min_nodes // zones, int(zones <= pool.max_nodes))


def _apis(config: ManagedCluster, needs: ClusterNeeds) -> tuple[str, ...]:
    extra = ("secretmanager",) if config.secret_manager else ()
    return tuple(f"{api}.googleapis.com" for api in sorted({*_COMMON_APIS, *extra, *needs.apis}))


def _identifier(project: str | None, location: str | None, name: str | None) -> str:
    return f"projects/{project or '-'}/locations/{location}/clusters/{name}"


def _unlisted(location: str | None) -> Iterator[str]:
    """A region that is only named like others may be a slip, or newer than the table."""
    region = region_of(location) if location else None
    if region is not None and region not in known_regions():
        near = meant_region(region)
        meant = f"; did you mean {near}?" if near else ""
        yield f"the table of Google Cloud's regions lacks {region}, so that its zones and prices are not known{meant}"


def _remarks(config: ManagedCluster, *, protect: bool) -> tuple[str, ...]:
    notes = []
    made, nat = config.network is None, config.network_options.nat
    if config.private_nodes and not (made if nat is None else nat):
        where = "a network that is made without NAT" if made else "an existing network"
        way_out = f"private nodes in {where} reach registries and model hubs only through a NAT of its own"
        notes.append(f"{way_out}; networkOptions.nat: true adds one")
    access = _plan_control_plane(config)
    if access.kubeconfig_endpoint == "private":
        notes.append("without the DNS endpoint Pulumi must run inside the network to reach the private control plane")
    return (*notes, *_refused_destroy(config, protect=protect), *_unknown_machines(config))


def _refused_destroy(config: ManagedCluster, *, protect: bool) -> Iterator[str]:
    """What goes before the cluster refuses, where Pulumi protects it or Google's provider alone does."""
    if protect:
        kept = "the preview of a destroy refuses before anything is deleted"
        gone = "a destroy with --skip-preview deletes what serves, NAT and unprotected pools"
        yield f"{kept}; {gone} before the cluster refuses"
    elif config.deletion_protection:
        gone = "allowReplace: [cluster] lets a destroy or a replacement delete what serves, the pools and NAT"
        yield f"{gone} before deletionProtection keeps the cluster; deletionProtection: false and pulumi up come first"


def _unknown_machines(config: ManagedCluster) -> Iterator[str]:
    """A series that no table has may be a slip, or newer than the table."""
    if not isinstance(config, StandardCluster):
        return
    pool = config.system_pool
    if unknown := [name for name in (pool.machine_type, *pool.fallback_machine_types) if not knows_series(name)]:
        what = f"no table here has the series of {', '.join(unknown)} in systemPool"
        yield f"{what}, so that nothing says whether such a machine exists, what it holds and what it costs"
