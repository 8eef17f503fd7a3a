"""A context that does not fit for sure is cut to the longest that surely does, so one card is not rejected for it."""

from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from l4serve.planning.workload.judgement.judging import judge
from tests.advising.test_search import asked
from tests.planning.performance.engines import asked as subject_asked

CHAT = Load(input_tokens=512, output_tokens=256, clients=64)


def test_one_card_in_full_quality_wins_with_a_shorter_context() -> None:
    """The longest context that fits was cut to, and then rejected as uncertain: two cards won at half as much again."""
    answer = search(*asked("meta-llama/Llama-3.1-8B"), Wish(goal="cost", load=CHAT, quality="full"))
    assert answer.winner is not None
    winner = answer.winner.candidate
    assert winner.gpus == 1
    assert winner.pod.edit == {"engine.maxModelLen": 32000}
    assert answer.winner.judgement.fit is not None
    assert answer.winner.judgement.fit.is_sure


def test_the_surest_context_is_sure_and_no_much_shorter_than_one_that_is_not() -> None:
    subject = subject_asked("meta-llama/Llama-3.1-8B-Instruct", "nvidia-l4")
    assert subject.shape is not None
    fit = judge(subject, remedied=False).fit
    assert fit is not None
    for length, sure in ((fit.surest_max_model_len, True), (int(1.03 * fit.surest_max_model_len), False)):
        question = Question(
            model=subject.shape,
            engine="vllm",
            engine_version=subject.workload.engine.version,
            accelerator="nvidia-l4",
            gpus=1,
            settings={"length": length},
        )
        found = judge(subject_of(question), remedied=False).fit
        assert found is not None
        assert found.is_sure == sure, length


def test_a_reason_is_told_with_the_context_that_it_is_of() -> None:
    """Of a cut context a first token was too late, and the context that does not fit was shown beside it."""
    answer = search(*asked("Qwen/Qwen3-30B-A3B"), Wish(goal="throughput", load=CHAT, itl_ms=1.0))
    late = [other for other in answer.rejected if other.reason.startswith("itl")]
    assert any("engine.maxModelLen" in other.candidate.pod.edit for other in late)
    for other in late:
        fit = judge(other.candidate.pod.subject, remedied=False).fit
        assert fit is not None
        assert fit.is_sure, other.candidate.pod.edit
