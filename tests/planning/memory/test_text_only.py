"""Models with towers that are shown nothing: what stays in memory, and what is compiled, by release."""

from typing import Any

import pytest

from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.towers import loaded_parameters
from tests.planning.memory.test_measured_towers import CASES, on_l4, serving, shape

NO_ITEMS = {"image": 0, "video": 0}


@pytest.mark.parametrize(
    ("name", "kept", "left_out"),
    [
        ("qwen2.5-vl-7b", "0.10.0", "0.10.1"),
        ("qwen3-vl-8b", "0.10.2", "0.11.0"),
        ("pixtral-12b-10l", "0.10.0", "0.10.1"),
        ("internvl3-2b", "0.14.1", "0.15.0"),
        ("gemma-3-4b", "0.14.1", "0.15.0"),
    ],
)
def test_a_release_leaves_out_the_towers_of_the_classes_that_ask_for_limits(
    name: str, kept: str, left_out: str
) -> None:
    model = shape(name)
    assert loaded_parameters(model, serving(kept, multimodal_limits=NO_ITEMS)) == model.extra_parameters
    assert loaded_parameters(model, serving(left_out, multimodal_limits=NO_ITEMS)) == 0


@pytest.mark.parametrize(
    "asked", [{"language_model_only": True}, {"multimodal_limits": NO_ITEMS}], ids=["flag", "limits"]
)
def test_what_is_shown_nothing_compiles_its_embedding(asked: dict[str, Any]) -> None:
    """Vectors come in where items may; up to 0.11.0 the class embeds before it calls what is compiled."""
    gemma = shape("gemma-3-4b")
    table = gemma.vocab_size * gemma.hidden_size * 2 / 2**30
    few = {"max_num_seqs": 16, "max_model_len": 4096}
    assert on_l4("gemma-3-4b", **few, **asked).activation_gib > table
    assert on_l4("gemma-3-4b", **few, **asked, enforce_eager=True).activation_gib < table
    assert on_l4("gemma-3-4b", **few, skip_multimodal_profiling=True).activation_gib < table
    assert on_l4("gemma-3-4b", version="0.11.0", **few, **asked).activation_gib < table
    assert on_l4("gemma-3-4b", version="0.11.1", **few, **asked).activation_gib > table


TEXT_ONLY = [name for name in CASES if name[0] == "l" and name.endswith(("-text", "-image0"))]


def test_the_peak_of_a_text_only_start_is_what_was_measured() -> None:
    """Compilation of a model with sections of positions holds 0.06 GiB more."""
    assert len(TEXT_ONLY) == 9
    for case in map(CASES.__getitem__, TEXT_ONLY):
        said = estimate(case.model, case.gpu, case.options).activation_gib
        assert said == pytest.approx(case.parts["peak_activation_gib"], abs=0.08), case.id
