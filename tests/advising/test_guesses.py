"""Where the search for a pod's replicas begins: with those of one alike."""

import pytest

from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.load import Load, spread_as_asked
from l4serve.planning.performance.loop_state import Observed
from tests.advising.test_search import asked


def test_long_prompts_of_a_calm_engine_are_sized_from_one_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two caches of one format need as many replicas and are not equally full: each was looked for anew."""
    runs = 0
    run = EngineLoop.run

    def counted(self: EngineLoop) -> Observed:
        nonlocal runs
        runs += 1
        return run(self)

    monkeypatch.setattr(EngineLoop, "run", counted)
    load = spread_as_asked(Load(input_tokens=4000, output_tokens=300, rate=5.0), 0.8)
    pods, homes = asked("meta-llama/Llama-3.1-8B-Instruct")
    few = [pod for pod in pods if pod.edit.get("gpus") == 2 and pod.quality == "4bit"][:36]
    answer = search(few, homes, Wish(goal="cost", load=load))
    assert answer.winner is not None
    assert runs <= 62
