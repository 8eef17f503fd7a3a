"""Whether the driver that GKE installs on a workload's nodes runs the CUDA version of its image."""

from collections.abc import Iterator

from l4serve.config.workload import Engine
from l4serve.engines.contract import Contract
from l4serve.engines.images import wanted_driver
from l4serve.planning.workload.node_choice import Place


def driver_notes(engine: Engine, contract: Contract, place: Place) -> Iterator[str]:
    """What is to be said of each of the stack's pools whose driver may be too old for the image."""
    for pool in dict.fromkeys(pool for _, pool in place.alternatives or ((place.shape, place.pool),) if pool):
        driver = wanted_driver(engine.kind, engine.image, contract, pool.software.driver_version)
        if driver is not None:
            yield (
                f"the image of {contract.name} is built for CUDA {contract.image_facts.cuda}, which needs driver "
                f"{driver} or newer; on pool {pool.name} by default GKE may install an older one, and the server "
                f"finds no GPU; nodePools.{pool.name}.driverVersion: LATEST installs {driver} or newer"
            )
