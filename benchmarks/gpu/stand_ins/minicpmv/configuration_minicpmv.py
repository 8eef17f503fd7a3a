"""In place of MiniCPM-V's own configuration class, which its repository alone has: what its config.json states."""

from typing import Any

from transformers import PretrainedConfig, SiglipVisionConfig
from transformers.models.qwen3.configuration_qwen3 import Qwen3Config


class MiniCPMVConfig(Qwen3Config):
    model_type = "minicpmv"

    def __init__(
        self, vision_config: dict[str, Any] | None = None, slice_config: dict[str, Any] | None = None, **rest: Any
    ):
        super().__init__(**rest)
        self.vision_config = SiglipVisionConfig(**(vision_config or {}))
        self.slice_config = PretrainedConfig(**(slice_config or {}))
