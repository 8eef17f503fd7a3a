"""In place of Molmo2's own configuration classes, which its repository alone has: what its config.json states."""

from typing import Any

from transformers import PretrainedConfig


class Molmo2TextConfig(PretrainedConfig):
    model_type = "molmo2_text"


class Molmo2Config(PretrainedConfig):
    model_type = "molmo2"

    def __init__(
        self,
        text_config: dict[str, Any] | None = None,
        vit_config: dict[str, Any] | None = None,
        adapter_config: dict[str, Any] | None = None,
        **rest: Any,
    ):
        self.text_config = Molmo2TextConfig(**(text_config or {}))
        self.vit_config = PretrainedConfig(**(vit_config or {}))
        self.adapter_config = PretrainedConfig(**(adapter_config or {}))
        super().__init__(**rest)

    def get_text_config(self, **_: Any) -> PretrainedConfig:
        return self.text_config
