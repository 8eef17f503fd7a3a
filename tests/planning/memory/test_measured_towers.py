"""Towers that were started: what a profile encoded and held, against what is said of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.estimators.cases import Case, measured_cases
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.constants import fitted_constants
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import vllm_generation
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.towers import largest_item_tokens, loaded_parameters
from l4serve.planning.memory.vllm import batch_limits
from l4serve.planning.memory.vllm_activations import asked, tower_gib
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.model_shape import LayerKind, ModelShape

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "l4serve/planning/memory/data/configs"
RECORDS = [json.loads(line) for line in (ROOT / "benchmarks/gpu/records.jsonl").read_text().splitlines()]
TOWERS = {r["point"]["id"]: r for r in RECORDS if "tower" in r}
CASES = {case.id: case for case in measured_cases()}
MEASURED = [name for name in TOWERS if name in CASES and "gemma-4" not in name and not name.endswith("v1-audio")]
"""But Gemma 4, which encodes more frames at once on a larger card, and a start that only heard, less than a batch."""


def config(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONFIGS / f"{name}.json").read_text())
    return found


def shape(name: str) -> ModelShape:
    return shape_from_config(config(name), model_id=name, source="test")


def serving(version: str = "0.26.0", **asked: Any) -> ServingOptions:
    return ServingOptions(engine="vllm", engine_version=version, **asked)


def on_l4(name: str, **asked: Any) -> Fit:
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    return estimate(shape(name), gpu, serving(**asked))


def said_of_tower(case: Case) -> float:
    generation = vllm_generation(case.options.engine_version, case.gpu.compute_capability)
    limits = batch_limits(case.model, case.options, generation)
    question = asked(case.model, case.gpu, case.options, fitted_constants(), generation, limits)
    return tower_gib(question)[0]


@pytest.mark.parametrize("name", MEASURED)
def test_a_towers_peak_is_what_its_profile_held(name: str) -> None:
    record, said = TOWERS[name], said_of_tower(CASES[name])
    held = (record["tower"]["allocated_peak"] - record["weights_bytes"]) / 2**30
    held += record["non_torch_bytes"] / 2**30 - fitted_constants().non_torch_gib["late.single"]
    assert said == pytest.approx(held, rel=0.07, abs=0.08)


@pytest.mark.parametrize("name", MEASURED)
def test_an_item_has_the_tokens_that_were_encoded(name: str) -> None:
    case, most = CASES[name], max(TOWERS[name]["tower"]["tokens"])
    item = largest_item_tokens(case.model, case.options, case.options.max_model_len or 0, vllm_generation("0.26.0"))
    assert item == pytest.approx(most, rel=0.025)


@pytest.mark.parametrize("name", [name for name in CASES if name[:2] in {"g0", "g1", "g2", "g3", "g4"}])
def test_a_measured_tower_is_known_to_half_a_gib(name: str) -> None:
    case = CASES[name]
    fit = estimate(case.model, case.gpu, case.options)
    off = abs(fit.kv_room_gib - max(0.0, case.parts["kv_cache_gib"]))
    assert off <= fit.uncertainty_gib < 0.75
    assert not (fit.fits and not case.fits)


def test_a_sound_of_voxtral_is_profiled_as_long_as_the_context() -> None:
    peaks = [on_l4("voxtral-mini-3b", max_model_len=n, enforce_eager=True).activation_gib for n in (8192, 32768)]
    before = [on_l4("voxtral-mini-3b", version="0.25.0", max_model_len=n).activation_gib for n in (8192, 32768)]
    assert before[0] == before[1]  # a dense model on V2, which profiles no tower before 0.27
    assert peaks == before
    later = [on_l4("voxtral-mini-3b", version="0.27.0", max_model_len=n).activation_gib for n in (8192, 32768)]
    assert later == pytest.approx([1.0, 3.95], abs=0.1)


def test_layers_that_share_keys_keep_none() -> None:
    gemma = shape("gemma-3n-e4b")
    assert (gemma.count_layers(LayerKind.FULL), gemma.count_layers(LayerKind.SLIDING)) == (7, 28)
    assert (gemma.count_caches(LayerKind.FULL), gemma.count_caches(LayerKind.SLIDING)) == (4, 16)


def test_a_limit_leaves_out_the_tower_that_it_speaks_of() -> None:
    omni = shape("qwen2.5-omni-7b")
    seeing = omni.extra_parameters - omni.audio_parameters
    assert omni.audio_parameters / 1e6 == pytest.approx(640, rel=0.02)
    assert loaded_parameters(omni, serving(multimodal_limits={"image": 0, "video": 0})) == omni.audio_parameters
    assert loaded_parameters(omni, serving(multimodal_limits={"audio": 0})) == seeing
    assert loaded_parameters(omni, serving(multimodal_limits={"audio": 0, "image": 0, "video": 0})) == 0


@pytest.mark.parametrize(
    ("name", "tokens", "patches"),
    [
        ("llava-1.5-7b", 576, 1),
        ("llava-next-mistral-7b", 5 * 576, 1),
        ("paligemma-3b-224", 256, 1),
        ("smolvlm-2.2b", 17 * 81, 9),
        ("qwen2-audio-7b", 750, 2),
    ],
)
def test_a_file_says_how_large_its_largest_item_is(name: str, tokens: int, patches: int) -> None:
    tower = shape(name).vision
    assert tower is not None
    assert (tower.tokens_per_item, tower.patches_per_token) == (tokens, patches)


def test_sizes_that_are_no_pairs_count_as_none() -> None:
    listed = config("llava-next-mistral-7b") | {"image_grid_pinpoints": [[336], "x", [672, True], [672, 672]]}
    tower = shape_from_config(listed, model_id="m", source="test").vision
    assert tower is not None and tower.tokens_per_item == 5 * 576


def test_gemma_4_makes_no_vectors_of_zeros_since_its_positions_are_looked_up() -> None:
    older, newer = (on_l4("gemma-4-26b-a4b-6l", version=v, max_num_batched_tokens=4096) for v in ("0.24.0", "0.26.0"))
    assert older.uncertainty_gib > 2 * newer.uncertainty_gib
    assert newer.activation_gib < older.activation_gib
