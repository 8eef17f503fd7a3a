"""What the workloads of a stack share while each is planned."""

from collections.abc import Collection, Mapping

from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step
from l4serve.config.keys.autoscaling import StackMonitoring
from l4serve.config.keys.network_policy import NetworkPolicy
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import refuse
from l4serve.planning.gke.gateway import GatewayPlan
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.workload.nodes.node_choice import Place, Site, find_place, refuse_unknown_place


@frozen(kw_only=True)
class Surroundings:
    """What the workloads of a stack share. A step may refuse: what does not depend on it is judged all the same."""

    stack: str
    namespace: str
    project: str | None
    """Google Cloud project of the stack; None where its config names none."""
    secrets: Mapping[str, str]
    """The config's own secrets by name, each with the mark of what it was set to."""
    site: Step[Site]
    secret: Step[SecretPlan | None]
    gateway: Step[GatewayPlan | None]
    workloads: Mapping[str, Workload]
    """Every workload of the stack by its name."""
    monitoring: StackMonitoring
    network_policy: NetworkPolicy
    pools: Collection[str]
    """Names of the pools of the config."""
    classes: Collection[str]
    """Names of the compute classes of the config."""
    accelerators: Mapping[str, str]
    """Accelerator of each pool by its name in the config, for a workload whose place cannot be had."""

    def project_of_pods(self) -> str | None:
        """Project whose Workload Identity pool knows the pods."""
        return self.site().cluster.project or self.project

    def place_of(self, path: str, workload: Workload, gpus: int) -> Place:
        """The place of a workload; a pool or class that nobody defines is refused whatever else is wrong."""
        refuse_unknown_place(path, workload, self.pools, self.classes)
        place = find_place(path, workload, gpus, self.site())
        if workload.min_on_demand and (place.off_spot is None or not place.spot):
            message = "minOnDemand needs a place with both spot and on-demand nodes, and this one has a single kind"
            refuse(f"{path}.minOnDemand", message, "set computeClass to a class with both, or remove minOnDemand")
        return place
