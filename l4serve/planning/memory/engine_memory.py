"""The memory behaviour of each engine: one object per engine, found by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from l4serve.engines.gpu_layout import GpuLayout
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.tgi import TgiMemory
from l4serve.planning.memory.vllm import VllmMemory
from l4serve.planning.models.model_shape import ModelShape


class EngineMemory(Protocol):
    """What planning asks of an engine about memory."""

    def options(self, engine: Any, layout: GpuLayout) -> ServingOptions:
        """The settings of the engine's config that its memory depends on."""

    def swap_gib(self, model: ModelShape, options: ServingOptions) -> float:
        """Host memory that the engine sets aside for the cache of each GPU, in GiB."""

    def estimate(self, model: ModelShape, gpu: Gpu, options: ServingOptions, constants: Constants) -> Fit:
        """The engine's answer for one rank."""


ENGINES: Mapping[str, EngineMemory] = {engine.kind: engine for engine in (VllmMemory(), TgiMemory())}


def engine_memory(kind: str) -> EngineMemory:
    """The memory behaviour of an engine."""
    return ENGINES[kind]
