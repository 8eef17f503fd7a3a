"""In place of Molmo's own configuration class, which its repository alone has: what its config.json states."""

from transformers import PretrainedConfig


class MolmoConfig(PretrainedConfig):
    model_type = "molmo"
