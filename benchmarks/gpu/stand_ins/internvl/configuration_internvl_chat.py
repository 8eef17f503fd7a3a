"""In place of InternVL's own configuration class, which its repository alone has: what its config.json states."""

from typing import Any

from transformers import CONFIG_MAPPING, PretrainedConfig


class InternVLChatConfig(PretrainedConfig):
    model_type = "internvl_chat"

    def __init__(
        self, vision_config: dict[str, Any] | None = None, llm_config: dict[str, Any] | None = None, **rest: Any
    ):
        self.vision_config = PretrainedConfig(**(vision_config or {}))
        inner = dict(llm_config or {"model_type": "qwen2"})
        self.llm_config = CONFIG_MAPPING[inner.pop("model_type")](**inner)
        super().__init__(**rest)

    def get_text_config(self, **_: Any) -> PretrainedConfig:
        return self.llm_config
