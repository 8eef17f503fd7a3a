"""A card's total is a range: refused is what falls short at its upper end, warned of what does between."""

from dataclasses import replace

from l4serve.config.keys.workload import Workload
from l4serve.engines.gpu_layout import gpu_layout
from l4serve.engines.releases.resolution import resolve_contract
from l4serve.planning.machines.gpus import Gpu, find_gpu
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.workload.judgement.judging import Judgement, judge
from l4serve.planning.workload.judgement.subject import Subject
from tests.factories import SMALL, workload


def judged(card: Gpu) -> Judgement:
    config = Workload.model_validate(workload(SMALL))
    resolved = resolve_contract("vllm", "0.26.0")
    layout = gpu_layout("workloads.a", config)
    return judge(Subject(workload=config, shape=find_model(SMALL), resolved=resolved, layout=layout, card=card))


def card(lowest: float, highest: float) -> Gpu:
    l4 = find_gpu("nvidia-l4")
    assert l4 is not None
    return replace(l4, total_gib=highest, lowest_total_gib=lowest)


def test_what_fits_the_lowest_total_is_sound() -> None:
    assert judged(card(21.95, 22.03)).notes == ()


def test_what_fits_the_highest_total_alone_is_warned_of() -> None:
    found = judged(card(4.0, 22.03))
    assert found.refusals == ()
    assert found.fit is not None
    assert found.fit.fits
    assert found.fit.total_gib == 22.03
    (note,) = found.notes
    assert "4 GiB" in note
    assert "22.03 GiB" in note


def test_what_does_not_fit_the_highest_total_is_refused() -> None:
    (refusal,) = judged(card(3.5, 4.0)).refusals
    assert refusal.path == "engine.maxModelLen"
    assert "does not fit its GPU" in refusal.message
