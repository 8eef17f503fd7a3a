"""In place of a model's own class of configurations: Llama's, with a shape for each layer."""

from typing import Any

from transformers import LlamaConfig


class Part(dict[str, Any]):
    """A part of a layer, whose values the engine's model code reads as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class DeciLMConfig(LlamaConfig):
    """Llama's, with the attention and the MLP of each layer."""

    model_type = "nemotron-nas"

    def __init__(self, block_configs: list[dict[str, Any]] | None = None, **other: Any) -> None:
        blocks = block_configs or []
        self.block_configs = [Part({part: Part(values) for part, values in block.items()}) for block in blocks]
        super().__init__(**other)
