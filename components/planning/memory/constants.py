"""The fitted constants of the memory model: `data/constants.json` read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """What measurement decides; every other number of the model follows from shapes. Units are in the data file."""

    hidden_buffers: float
    compiled_hidden_buffers: float
    sampler_bytes: Mapping[str, float]
    non_torch_gib: Mapping[str, float]
    matmul_workspace_mib: Mapping[str, float]
    graph_mib: Mapping[str, float]
    flashinfer_workspace_gib: float
    uncertainty: Mapping[str, float]


@cache
def fitted_constants() -> Constants:
    """The constants that the data file holds."""
    text = files("components.planning.memory").joinpath("data/constants.json").read_text(encoding="utf-8")
    data = {key: entry["value"] for key, entry in json.loads(text).items() if key != "note"}
    return Constants(
        hidden_buffers=data["hiddenBuffers"],
        compiled_hidden_buffers=data["compiledHiddenBuffers"],
        sampler_bytes=data["samplerBytes"],
        non_torch_gib=data["nonTorchGib"],
        matmul_workspace_mib=data["matmulWorkspaceMib"],
        graph_mib=data["graphMib"],
        flashinfer_workspace_gib=data["flashinferWorkspaceGib"],
        uncertainty=data["uncertainty"],
    )
