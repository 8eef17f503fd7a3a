"""A speculative draft shares the card with the model that it drafts for."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.memory.drafts import with_draft
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests import factories

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"


def planned(speculative: dict[str, Any] | None, gpus: int = 1, **engine: Any) -> WorkloadPlan:
    asked = {"kind": "vllm", "version": "0.26.0", "maxModelLen": 8192, **engine}
    if speculative:
        asked["speculativeConfig"] = speculative
    pools = {"l4": {"machineType": "g2-standard-24" if gpus > 1 else "g2-standard-8"}}
    stack = factories.serving({"llama": factories.workload(LLAMA, engine=asked, gpus=gpus)}, pools=pools)
    return factories.planned(stack, has_token=True).workloads[0]


def test_a_small_draft_takes_weights_and_cache() -> None:
    alone, drafted = planned(None).judgement.fit, planned(draft("meta-llama/Llama-3.2-1B-Instruct")).judgement.fit
    assert alone is not None
    assert drafted is not None
    assert drafted.weights_gib - alone.weights_gib == pytest.approx(2.3, abs=0.1)
    cache_of_a_token = (16 * 8 * 64 + 32 * 8 * 128) * 2 * 2
    assert drafted.kv_room_gib * 2**30 / drafted.kv_cache_tokens == pytest.approx(cache_of_a_token, rel=0.01)


def test_a_draft_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        planned(draft("meta-llama/Llama-3.2-3B-Instruct"))
    assert any("does not fit" in problem.message for problem in refused.value.problems)


@pytest.mark.parametrize(("size", "share"), [(None, 0.5), (1, 1.0)])
def test_a_draft_is_split_with_its_target_unless_it_stays_whole(size: int | None, share: float) -> None:
    target = find_model(LLAMA)
    assert target is not None
    options = ServingOptions(engine="vllm", engine_version="0.26.0", tensor_parallel_size=2)
    asked = {**draft("meta-llama/Llama-3.2-1B-Instruct"), "draft_tensor_parallel_size": size}
    drafted, _ = with_draft(options, asked, target)
    assert drafted.draft_weights_gib / 2 == pytest.approx(share * 2.3, rel=0.05)


def test_what_cannot_be_counted_is_not_judged() -> None:
    judgement = planned(draft("someone/unknown-draft")).judgement
    assert judgement.fit is None
    assert any("someone/unknown-draft" in note and "not judged" in note for note in judgement.notes)
    assert not planned({"method": "ngram", "num_speculative_tokens": 3}).judgement.notes


def test_a_draft_head_is_one_layer_of_its_target() -> None:
    asked = {"model": "someone/EAGLE3-head", "method": "eagle3", "num_speculative_tokens": 3}
    alone, headed = planned(None).judgement.fit, planned(asked).judgement.fit
    assert alone is not None
    assert headed is not None
    assert headed.weights_gib - alone.weights_gib == pytest.approx(0.5, abs=0.06)
    tokens = headed.kv_room_gib * 2**30 / headed.kv_cache_tokens
    assert tokens == pytest.approx(alone.kv_room_gib * 2**30 / alone.kv_cache_tokens * 33 / 32, rel=0.01)


def draft(model: str) -> dict[str, Any]:
    return {"model": model, "method": "draft_model", "num_speculative_tokens": 3}


@pytest.mark.parametrize("method", ["qwen3_next_mtp", "deepseek_mtp"])
def test_a_familys_name_for_drafts_of_own_layers_means_the_same(method: str) -> None:
    target, options = find_model("Qwen/Qwen3.5-4B"), ServingOptions(engine="vllm", engine_version="0.26.0")
    assert target is not None
    plain, named = ({"method": name, "num_speculative_tokens": 1} for name in ("mtp", method))
    assert with_draft(options, named, target)[0] == with_draft(options, plain, target)[0]
