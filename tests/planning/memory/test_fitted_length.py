"""`maxModelLen: auto` (vLLM 0.14.0): the longest context that the cache holds, up to the model's own."""

import pytest

from l4serve.config.keys.vllm import VllmEngine
from l4serve.engines.argv import EngineRefusal, build_launch
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.planning.memory.engine_memory import engine_memory
from l4serve.planning.memory.fit import Fit
from tests.engines.rule_cases import QWEN, case
from tests.planning.memory.fits import fit_on


def fit(model: str, **engine: object) -> Fit:
    asked = VllmEngine.model_validate({"version": "0.26.0", **engine})
    return fit_on("nvidia-l4", model, engine_memory("vllm").options(asked, GpuLayout(1, 1, 1)))


def test_the_context_is_what_the_cache_holds() -> None:
    auto, whole = (fit("meta-llama/Llama-3.1-8B-Instruct", **asked) for asked in ({"maxModelLen": "auto"}, {}))
    assert auto.fits and not whole.fits
    assert not auto.margin_is_uncertain
    assert auto.max_model_len == whole.largest_max_model_len
    assert auto.kv_room_gib == whole.kv_room_gib


def test_the_context_of_a_model_that_fits_is_its_own() -> None:
    assert fit("Qwen/Qwen3-0.6B", maxModelLen="auto").max_model_len == 40960


def test_what_leaves_nothing_for_a_cache_is_refused() -> None:
    assert not fit("Qwen/Qwen2.5-14B-Instruct", maxModelLen="auto").fits


@pytest.mark.parametrize(("version", "taken"), [("0.13.0", False), ("0.14.0", True), ("0.33.0", True)])
def test_a_release_takes_it_or_is_refused(version: str, *, taken: bool) -> None:
    asked = case("vllm", version, QWEN, maxModelLen=-1)
    if taken:
        assert "--max-model-len=auto" in build_launch(asked).argv
        return
    with pytest.raises(EngineRefusal) as refused:
        build_launch(asked)
    assert [problem.path for problem in refused.value.problems] == ["engine.maxModelLen"]
