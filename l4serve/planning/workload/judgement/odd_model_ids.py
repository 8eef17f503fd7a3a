"""Model ids that the Hub may not have."""

from l4serve.config.keys.workload import Model
from l4serve.config.refusals.problems import Problem
from l4serve.planning.models.catalogue import misspelt
from l4serve.planning.models.model_shape import ModelShape


def misspelt_model(model: Model, shape: ModelShape | None) -> tuple[Problem, ...]:
    """What is wrong with the id of a model that nobody described and that the Hub is to have, inside the workload."""
    meant = misspelt(model.id) if shape is None and model.source is None else None
    if meant is None:
        return ()
    message = f"{model.id!r} is in no catalogue and looks like a misspelt id, which the Hub answers with 404"
    return (Problem("model.id", message, f"did you mean {meant}? If not, set model.config to its config.json"),)


def unseen_model(shape: ModelShape) -> tuple[str, ...]:
    """A note on a described model that was seen in no list of the Hub."""
    if shape.is_seen:
        return ()
    return (f"{shape.id} is in no list of the Hub's models that was searched: look whether it is there",)
