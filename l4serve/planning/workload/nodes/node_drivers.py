"""Whether the driver on a workload's nodes runs the CUDA version of its image."""

from collections.abc import Iterator

from l4serve.config.frozen import frozen
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.engines.images import needed_driver
from l4serve.engines.releases.contract import Contract
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.drivers import NodeDriver, first_with, node_driver
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.workload.nodes.node_choice import Place


@frozen(kw_only=True)
class _Old:
    """Nodes whose driver is, or may be, too old."""

    pool: PoolPlan | None
    driver: NodeDriver
    needed: int

    @property
    def nodes(self) -> str:
        return f"pool {self.pool.name}" if self.pool else "nodes of Autopilot"

    @property
    def cures(self) -> Iterator[str]:
        """Settings that bring a driver which is new enough."""
        if self.pool is None:
            return
        path, software = f"nodePools.{self.pool.name}", self.pool.software
        if software.image_type != "COS_CONTAINERD":
            yield f"set {path}.imageType: COS_CONTAINERD, whose latest driver is {self.needed} or newer"
        elif software.driver_version == "DEFAULT":
            yield f"set {path}.driverVersion: LATEST, which installs {self.needed} or newer"
        elif since := first_with(self.needed):
            yield f"set cluster.minVersion: {since}, whose latest driver is {self.needed} or newer"


def driver_problems(
    path: str, workload: Workload, contract: Contract, place: Place, cluster: ClusterPlan
) -> Iterator[Problem]:
    """That the driver which Google's table names is too old for the image; `path` is the workload's."""
    for old in _old_drivers(workload, contract, place, cluster):
        if old.driver.known is None:
            continue
        field = f"nodePools.{old.pool.name}.driverVersion" if old.pool else f"{path}.engine.version"
        what = (
            f"{_built(contract, old.needed)}, and GKE {_stated(cluster)} installs {old.driver.known} on {old.nodes}: "
            "the server finds no GPU"
        )
        yield Problem(field, what, "; or ".join((*old.cures, *_instead(path, contract))))


def driver_notes(workload: Workload, contract: Contract, place: Place, cluster: ClusterPlan) -> Iterator[str]:
    """That a driver may be too old for the image: a pool's as its config says, the default one on Autopilot."""
    for old in _old_drivers(workload, contract, place, cluster):
        if old.driver.known is None:
            cure = next(iter((*old.cures, *_instead("", contract))))
            yield (
                f"{_built(contract, old.needed)}; on {old.nodes} by default GKE may install an older one, and the "
                f"server finds no GPU; {cure}"
            )


def _old_drivers(workload: Workload, contract: Contract, place: Place, cluster: ClusterPlan) -> Iterator[_Old]:
    needed = needed_driver(workload.engine.kind, workload.engine.image, contract)
    variable = contract.image_facts.compatibility
    if needed is None or (variable and workload.extra_env.get(variable, "").lower() in ("1", "true")):
        return
    nodes = place.alternatives or ((place.shape, place.pool),)
    for pool, accelerator in dict.fromkeys((pool, shape.accelerator) for shape, pool in nodes):
        if pool is None and cluster.mode != "autopilot":
            continue
        driver = node_driver(cluster, pool, accelerator)
        if driver and needed > (driver.least if driver.known is None else driver.known):
            yield _Old(pool=pool, driver=driver, needed=needed)


def _built(contract: Contract, needed: int) -> str:
    cuda = contract.image_facts.cuda
    return f"the image of {contract.name} is built for CUDA {cuda}, which needs driver {needed} or newer"


def _stated(cluster: ClusterPlan) -> str:
    assert cluster.managed is not None, "a driver is known by the version of a cluster that the stack makes"
    return str(cluster.managed.min_version)


def _instead(path: str, contract: Contract) -> Iterator[str]:
    """What runs the workload under an older driver."""
    variable, prefix = contract.image_facts.compatibility, f"{path}." if path else ""
    if variable:
        yield f'set {prefix}extraEnv.{variable}: "1", which runs it by libraries of the image'
    else:
        yield f"set an older {prefix}engine.version, built for CUDA 12"
