"""A shortage below the uncertainty is warned of, with edits that make it sure; a larger one is refused."""

import pytest

from l4serve.config.refusals.problems import ConfigError
from tests.factories import planned, serving, workload

GEMMA = "google/gemma-7b"
QWEN = "Qwen/Qwen2.5-7B-Instruct"


def stack(length: int, **engine: object) -> dict[str, object]:
    return dict(serving({"q": workload(GEMMA, engine={"maxModelLen": length, **engine})}))


def test_a_shortage_within_the_uncertainty_warns_with_its_remedies() -> None:
    (note,) = [note.text for note in planned(stack(6400)).workloads[0].notes if "may not fit" in note.text]
    assert "short by less than the uncertainty" in note
    assert "set engine.maxModelLen: " in note


def test_a_shortage_beyond_the_uncertainty_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not fit its GPU"):
        planned(stack(8192))


def test_fewer_drafts_are_a_remedy() -> None:
    drafting = {"method": "ngram", "num_speculative_tokens": 8, "prompt_lookup_max": 4}
    engine = {"maxModelLen": 8192, "maxNumSeqs": 512, "speculativeConfig": drafting}
    with pytest.raises(ConfigError) as refused:
        planned(serving({"q": workload(QWEN, engine=engine)}))
    remedies = " ".join(problem.remedy or "" for problem in refused.value.problems)
    assert "set engine.speculativeConfig.num_speculative_tokens: 4" in remedies


def test_a_tower_with_limits_that_does_not_fit_has_remedies() -> None:
    """The limits of a prompt are part of the key under which an edit's memory is kept."""
    engine = {"maxModelLen": 32768, "limitMmPerPrompt": {"image": 1}}
    with pytest.raises(ConfigError, match="does not fit its GPU"):
        planned(serving({"q": workload("Qwen/Qwen3-VL-8B-Instruct", engine=engine)}))
