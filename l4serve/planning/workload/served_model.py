"""The model as it is served: its names, its length, and whether the Hub wants a token for it."""

from l4serve.config.keys.workload import Workload
from l4serve.engines.model_location import adapters, model_argument
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.memory.fit import Fit
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.models.purpose import Purpose
from l4serve.planning.workload.pods.storage import model_of_hub
from l4serve.planning.workload.workload_plan import ModelPlan


def plan_model(workload: Workload, shape: ModelShape | None, fit: Fit | None, purpose: Purpose) -> ModelPlan:
    """The served model of a workload; `fit` is None where its memory is not judged."""
    model, engine = workload.model, workload.engine
    profile = engine_profile(engine.kind)
    # An engine that cannot be told a name serves the model under the place that it loads it from.
    own_name = model.id if "servedNames" in profile.names else model_argument(workload)
    known = shape.max_position_embeddings if shape else None
    # What shortens the texts of a pooling model stands in files that planning does not read.
    judged = fit.max_model_len if fit else known
    stated = profile.setting(engine, "length")
    return ModelPlan(
        id=model.id,
        revision=model.revision,
        gated=is_gated(workload, shape),
        served_names=profile.setting(engine, "servedNames") or (own_name,),
        adapters=tuple(adapter.name for adapter in adapters(engine)),
        purpose=purpose,
        max_model_len=stated if isinstance(stated, int) else (judged if purpose == "generate" else None),
    )


def is_gated(workload: Workload, shape: ModelShape | None) -> bool:
    """Whether the pods need a token for the model: the config's word, else the catalogue's; never without the Hub."""
    if not model_of_hub(workload):
        return False
    if workload.model.gated is not None:
        return workload.model.gated
    return bool(shape and shape.gated)
