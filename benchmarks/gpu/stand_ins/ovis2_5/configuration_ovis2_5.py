"""In place of Ovis2.5's own configuration classes, which its repository alone has: what its config.json states."""

from typing import Any

from transformers import CONFIG_MAPPING, PretrainedConfig


class Siglip2NavitConfig(PretrainedConfig):
    model_type = "siglip2_navit"


class Ovis2_5_Config(PretrainedConfig):  # noqa: N801 - the name that the model's config.json gives
    model_type = "ovis2_5"

    def __init__(self, llm_config: dict[str, Any] | None = None, vit_config: dict[str, Any] | None = None, **rest: Any):
        inner = dict(llm_config or {"model_type": "qwen3"})
        self.text_config = CONFIG_MAPPING[inner.pop("model_type")](**inner)
        self.vit_config = Siglip2NavitConfig(**(vit_config or {}))
        super().__init__(**rest)

    def get_text_config(self, **_: Any) -> PretrainedConfig:
        return self.text_config
