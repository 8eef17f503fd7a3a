"""What the memory model says of a model of the catalogue on a known card."""

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model


def fit_on(accelerator: str, model: str, options: ServingOptions) -> Fit:
    """The estimate; both names have to be known."""
    gpu, shape = find_gpu(accelerator), find_model(model)
    assert gpu is not None
    assert shape is not None
    return estimate(shape, gpu, options)
