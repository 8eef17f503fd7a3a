"""The fitted constants of the memory model: `data/constants.json` read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen


@frozen(kw_only=True)
class Constants:
    """What measurement decides; every other number of the model follows from shapes. Units are in the data file."""

    hidden_buffers: float
    compiled_hidden_buffers: float
    tower_hidden_buffers: float
    masked_tower_buffers: Mapping[str, float]
    sampler_bytes: Mapping[str, float]
    allocator_slack: Mapping[str, float]
    non_torch_gib: Mapping[str, float]
    matmul_workspace_mib: Mapping[str, float]
    graph_mib: Mapping[str, float]
    uncertainty: Mapping[str, float]


@cache
def fitted_constants() -> Constants:
    """The constants that the data file holds."""
    data = {key: entry["value"] for key, entry in load_data(__file__, "constants.json").items() if key != "note"}
    return Constants(
        hidden_buffers=data["hiddenBuffers"],
        compiled_hidden_buffers=data["compiledHiddenBuffers"],
        tower_hidden_buffers=data["towerHiddenBuffers"],
        masked_tower_buffers=data["maskedTowerBuffers"],
        sampler_bytes=data["samplerBytes"],
        allocator_slack=data["allocatorSlack"],
        non_torch_gib=data["nonTorchGib"],
        matmul_workspace_mib=data["matmulWorkspaceMib"],
        graph_mib=data["graphMib"],
        uncertainty=data["uncertainty"],
    )
