"""What every catalogued model takes of a machine: its weights, and the longest context that one request can have."""

from collections.abc import Iterator, Mapping
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.machines.shapes import MachineShape, default_accelerator
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.models.catalogue import all_models, find_model
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from l4serve.planning.workload.judgement.judging import judge

SHORTEST_CONTEXT = 2048
"""Tokens of context below which a model is not said to fit a machine, unless its own context is shorter."""


@frozen(kw_only=True)
class Surveyed:
    """One model on all GPUs of one machine, under the default engine's release."""

    model: ModelShape
    parameters: int
    """Weights by number, those of towers included."""
    weights_gib: float | None
    """GiB that each GPU holds of the weights; None where memory is not judged."""
    longest_context: int | None
    """Tokens of the longest context that fits; None where memory is not judged."""
    refused: bool
    """Whether the engine takes the model on these GPUs in no way."""

    @property
    def fits(self) -> bool:
        """Whether a useful context fits: 2,048 tokens, or the model's whole context where that is shorter."""
        if self.refused or self.longest_context is None:
            return False
        return self.longest_context >= min(SHORTEST_CONTEXT, self.model.max_position_embeddings)


def survey(machine: MachineShape, engine: str) -> Iterator[Surveyed]:
    """Every catalogued model on all GPUs of a machine."""
    for model in all_models():
        yield _surveyed(
            Question(
                model=model, engine=engine, engine_version=None, accelerator=machine.accelerator, gpus=machine.gpus
            )
        )


def survey_workload(workload: Mapping[str, Any]) -> Surveyed | None:
    """The model of a workload of a stack file on its GPUs of the default card; None for one outside the catalogue."""
    model, engine = find_model(workload["model"]["id"]), workload["engine"]
    if model is None:
        return None
    roles = engine_profile(engine["kind"]).fields.items()
    question = Question(
        model=model,
        engine=engine["kind"],
        engine_version=engine.get("version"),
        accelerator=default_accelerator(),
        gpus=workload.get("gpus", 1),
        settings={role: engine[key] for role, key in roles if key in engine},
    )
    return _surveyed(question)


def _surveyed(question: Question) -> Surveyed:
    judgement = judge(subject_of(question), remedied=False)
    fit = judgement.fit
    return Surveyed(
        model=question.model,
        parameters=rank_parameters(question.model).total,
        weights_gib=round(fit.weights_gib, 2) if fit else None,
        longest_context=fit.largest_max_model_len if fit else None,
        refused=bool(judgement.refusals),
    )
