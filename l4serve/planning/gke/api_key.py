"""Where a workload's pods find the key that clients send. The plan holds names, never the key."""

from collections.abc import Mapping

from l4serve.config.gathering import refuse_all
from l4serve.config.keys.api_key import ApiKey
from l4serve.config.refusals.problems import refuse
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.hf_token import SecretPlan, homeless, secret_path, synced_name
from l4serve.planning.values.names import LABEL_PREFIX, shorten


def key_reader(object_name: str) -> str:
    """Name of the ServiceAccount that reads a workload's key from Secret Manager."""
    return f"{object_name}-api-key-reader"


def plan_api_key(
    path: str,
    config: ApiKey,
    object_name: str,
    *,
    labels: tuple[tuple[str, str], ...],
    cluster: ClusterPlan,
    project: str | None,
    marks: Mapping[str, str],
) -> SecretPlan:
    """The Secret of a workload's key; `path` is the workload's own, `labels` are those of its objects.

    `marks` are those of the config's own secrets by name, `project` is that of secrets named by their id alone. Raises
    ConfigError where nobody names it, and where the cluster lacks what copies the key from Secret Manager.
    """
    manager = config.secret_manager
    if manager is not None:
        refuse_all(homeless(manager, project, cluster, f"{path}.apiKey.secretManager"))
    if manager is not None and cluster.managed is not None and not cluster.managed.secret_manager:
        what = "the cluster has no sync from Secret Manager, so the pods would wait for the key"
        refuse(f"{path}.apiKey.secretManager", what, "set cluster.secretManager: true")
    suffix = f"-{config.revision}" if config.revision is not None else ""
    own_name = f"{shorten(object_name, 200)}-api-key{suffix}"
    version = f"{secret_path(manager.secret, project)}/versions/{manager.version}" if manager else None
    origin = ((f"{LABEL_PREFIX}/config-key", config.config),) if config.config else ()
    return SecretPlan(
        source="existing" if config.secret else "secret-manager" if manager else "token",
        secret_name=config.secret or (synced_name(own_name) if manager else own_name),
        key=config.key,
        revision=config.revision,
        provider_class=f"{own_name}-source" if manager else None,
        secret_version=version,
        synced=manager is not None,
        reader=key_reader(object_name) if manager else None,
        manage_access=bool(manager and manager.manage_access),
        labels=(*labels, (f"{LABEL_PREFIX}/secret", "api-key"), *origin),
        config_key=config.config,
        mark=marks.get(config.config) if config.config else None,
    )
