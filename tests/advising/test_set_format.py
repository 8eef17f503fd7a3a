"""A workload whose format is set already: other formats are looked for as if nobody had set one."""

from dataclasses import replace

import pytest

from l4serve.advising.candidates import PodChoice, pod_choices
from l4serve.advising.homes import homes_of
from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judgement.fit_question import Question, subject_of

MODEL = "Qwen/Qwen2.5-7B-Instruct"
WISH = Wish(goal="cost", load=Load(input_tokens=512, output_tokens=256, clients=32))


def choices(quantization: str | None) -> list[PodChoice]:
    shape = find_model(MODEL)
    assert shape is not None
    base = subject_of(Question(model=shape, engine="vllm", engine_version=None, accelerator="nvidia-l4", gpus=1))
    if quantization is not None:
        base = base.edited({"engine.quantization": quantization}, shape)
    return list(pod_choices(base, (1,)))


@pytest.mark.parametrize(
    ("wish", "edit"),
    [
        (WISH, {"model.id": f"{MODEL}-AWQ", "engine.quantization": None}),
        (replace(WISH, goal="throughput", quality="full"), {"engine.quantization": None}),
    ],
    ids=["cost", "quality"],
)
def test_the_answer_is_that_for_the_workload_without_a_format(wish: Wish, edit: dict[str, object]) -> None:
    homes = homes_of("nvidia-l4", "on-demand", "us-central1")
    best, from_it = (search(choices(had), homes, wish).winner for had in (None, "fp8"))
    assert best and from_it
    assert from_it.figures == best.figures
    assert edit.items() <= from_it.candidate.pod.edit.items()
