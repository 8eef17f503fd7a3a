"""In place of Phi-4-multimodal's own configuration class, which its repository alone has."""

from transformers import Phi3Config


class Phi4MMConfig(Phi3Config):
    model_type = "phi4mm"
