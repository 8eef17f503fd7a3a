"""Who reaches a workload and what its pods may do: identity, Pod Security, key, route and network, together."""

from dataclasses import replace
from functools import partial

from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step, gather
from l4serve.config.keys.model_source import HyperdiskSource
from l4serve.config.keys.workload import Workload
from l4serve.engines.releases.contract import Contract
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.workload.hub_reads import reads_outside
from l4serve.planning.workload.judgement.judging import Judgement
from l4serve.planning.workload.judgement.subject import Subject
from l4serve.planning.workload.pods.encryption import TlsPlan, plan_tls
from l4serve.planning.workload.pods.pod_guard import PodGuard, plan_pod_guard
from l4serve.planning.workload.pods.pod_identity import PodIdentity, plan_identity
from l4serve.planning.workload.pods.storage import StoragePlan
from l4serve.planning.workload.reach.client_key import planned_key
from l4serve.planning.workload.reach.endpoint_picker import picker_notes
from l4serve.planning.workload.reach.network_guard import NetworkGuard, plan_network_guard
from l4serve.planning.workload.reach.route_plan import RoutePlan, plan_route
from l4serve.planning.workload.scraping import scraped
from l4serve.planning.workload.surroundings import Surroundings


@frozen(kw_only=True)
class Access:
    """What guards a workload, and what opens it."""

    key: SecretPlan | None
    """Where the key lies that clients must send; None where the server asks for none."""
    identity: PodIdentity
    guard: PodGuard
    tls: TlsPlan | None
    route: RoutePlan | None
    network: NetworkGuard | None


def plan_access(
    name: str,
    workload: Workload,
    around: Surroundings,
    *,
    contract: Step[Contract],
    judgement: Step[Judgement],
    storage: Step[StoragePlan],
    subject: Step[Subject],
) -> Access:
    """The access of a workload by its name in the config; raises ConfigError with every problem of it."""
    path, own = f"workloads.{name}", workload.renamed_from or name
    key, identity, guard, tls, route = gather(
        partial(planned_key, name, workload, around),
        lambda: plan_identity(path, workload, own, around.project_of_pods()),
        lambda: plan_pod_guard(path, workload, contract(), judgement().launch, storage()),
        lambda: plan_tls(path, workload, contract()),
        lambda: plan_route(
            name,
            workload,
            around.workloads,
            around.gateway(),
            contract(),
            subject,
            autopilot=around.site().cluster.mode == "autopilot",
        ),
    )
    shape = subject().shape
    served = contract().served(shape.architecture) if shape else None
    if route is not None and route.picker is not None:
        route = replace(route, notes=(*route.notes, *picker_notes(around.site().cluster, served)))
    network = plan_network_guard(
        around.network_policy,
        around.site().cluster,
        port=workload.service.port,
        service_type=workload.service.type,
        scraped=scraped(around.monitoring, workload),
        goes_outside=reads_outside(workload, judgement().launch) or bool(workload.service_account.buckets),
        media=served is not None and served.kind == "multimodal",
        gateway=around.gateway() if route is not None else None,
        launch=judgement().launch,
        fills=isinstance(workload.model.source, HyperdiskSource),
        picker_ports=route.picker.ports if route is not None and route.picker is not None else None,
    )
    return Access(key=key, identity=identity, guard=guard, tls=tls, route=route, network=network)
