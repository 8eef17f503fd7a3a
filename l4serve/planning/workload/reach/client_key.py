"""The key that clients of a workload send: where its pods find it, and what it leaves open."""

from collections.abc import Mapping

from l4serve.config.keys.container_env import EnvSource
from l4serve.config.keys.workload import Workload
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.gke.api_key import plan_api_key
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.values.names import workload_labels
from l4serve.planning.workload.surroundings import Surroundings


def planned_key(name: str, workload: Workload, around: Surroundings) -> SecretPlan | None:
    """Where the key lies that clients must send; None where the server asks for none.

    Raises ConfigError where nothing brings it into the cluster.
    """
    if workload.api_key is None:
        return None
    own = workload.renamed_from or name
    labels = workload_labels(own, stack=around.stack, engine=workload.engine.kind, recipe=workload.recipe)
    return plan_api_key(
        f"workloads.{name}",
        workload.api_key,
        own,
        labels=tuple(labels.items()),
        cluster=around.site().cluster,
        project=around.project_of_pods(),
        marks=around.secrets,
    )


def with_key(sources: Mapping[str, EnvSource], kind: str, key: SecretPlan | None) -> Mapping[str, EnvSource]:
    """The variables of an engine that Secrets and ConfigMaps give, the key's under the name that the engine reads."""
    if key is None:
        return sources
    return {**sources, engine_profile(kind).api_key_env: EnvSource(secret=key.secret_name, key=key.key)}


def key_in_plain_text(workload: Workload) -> tuple[str, ...]:
    """That the key is readable on its way, where a Service takes clients from outside the cluster without TLS."""
    service = workload.service
    if workload.api_key is None or service.type == "ClusterIP" or service.tls is not None:
        return ()
    way = "load balancer" if service.type == "LoadBalancer" else "port of the nodes"
    told = "its API key, and what is asked and answered, crosses the network in plain text"
    return (f"{told}: the Service's {way} shows no TLS",)


def open_despite_key(workload: Workload) -> tuple[str, ...]:
    """What answers without the API key, where there is one."""
    if workload.api_key is None:
        return ()
    paths = engine_profile(workload.engine.kind).open_despite_key
    return (f"{paths} answer without the API key, and so do health checks",)
