"""What else than memory decides whether an edit of a workload helps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from l4serve.config.frozen import frozen
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.model_shape import ModelShape


class WholeJudgement(Protocol):
    """What else than memory decides whether an edit helps."""

    def settled(self, model: ModelShape, options: ServingOptions) -> ServingOptions:
        """The options with what the engine derives from them, such as its attention backend."""

    def accepts(self, model: ModelShape, edit: Mapping[str, object]) -> bool:
        """Whether the engine takes the edited workload."""


@frozen()
class MemoryAlone:
    """Takes every edit: for a question about memory and nothing else."""

    def settled(self, model: ModelShape, options: ServingOptions) -> ServingOptions:  # noqa: ARG002
        """The options as they are."""
        return options

    def accepts(self, model: ModelShape, edit: Mapping[str, object]) -> bool:  # noqa: ARG002
        """Every edit."""
        return True
