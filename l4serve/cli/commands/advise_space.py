"""What `advise` searches for a model: every way to write its workload, and every machine that is sold."""

from __future__ import annotations

from l4serve.advising.answer import Unhoused
from l4serve.advising.candidates import Home, PodChoice, pod_choices
from l4serve.advising.homes import card_counts, homes_of
from l4serve.cli.shell.messages import readable_refusals, refuse_input
from l4serve.cli.subjects.hub import model_shape
from l4serve.config.frozen import frozen
from l4serve.config.keys.node_pool import Provisioning
from l4serve.engines.releases.profile import engine_kinds
from l4serve.planning.machines.shapes import accelerators, all_shapes
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.workload.judgement.fit_question import Question, subject_of


@frozen()
class Space:
    """What is searched for a model: its cards, engines and machines."""

    model: str
    gpus: tuple[str, ...]
    gpu_memory_gib: float | None
    engines: tuple[str, ...]
    """Empty for all."""
    engine_version: str | None
    provisioning: Provisioning
    region: str

    def candidates(self) -> tuple[list[PodChoice], list[Home]]:
        """Every way to write the workload, and every machine; exits 2 for a model, card or engine that nobody knows."""
        pods: list[PodChoice] = []
        homes: list[Home] = []
        with readable_refusals():
            try:
                shape = model_shape(self.model)
            except ModelConfigError as error:
                raise refuse_input(str(error)) from None
            for accelerator in self.gpus:
                for kind in self.engines or engine_kinds():
                    question = Question(
                        model=shape,
                        engine=kind,
                        engine_version=self.engine_version,
                        accelerator=accelerator,
                        gpus=1,
                        gpu_memory_gib=self.gpu_memory_gib,
                    )
                    pods += pod_choices(subject_of(question), card_counts(accelerator))
                homes += homes_of(accelerator, self.provisioning, self.region)
        return pods, homes

    def unhoused(self) -> tuple[Unhoused, ...]:
        """The cards that no machine offers as it was asked for, each with its reason and what to ask for instead."""
        reasons = ((card, _why_unhoused(card, self.provisioning)) for card in dict.fromkeys(self.gpus))
        return tuple(Unhoused(accelerator=card, reason=reason) for card, reason in reasons if reason)


def _why_unhoused(accelerator: str, provisioning: Provisioning) -> str | None:
    whole = [shape for shape in all_shapes(accelerator) if shape.card_memory_gb is None]
    if any(shape.sold(provisioning) for shape in whole):
        return None
    if ways := list(dict.fromkeys(way for shape in whole for way in shape.sold_as)):
        machines = ", ".join(dict.fromkeys(shape.name for shape in whole))
        return f"{machines} is not sold {provisioning}: give --provisioning {' or '.join(ways)}"
    return f"GKE sells no machine with it, as far as a source says: give --gpu one of {', '.join(accelerators())}"
