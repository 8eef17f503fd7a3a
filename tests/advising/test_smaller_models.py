"""The next smaller model of a name is found by every name that the catalogue knows."""

import pytest

from l4serve.advising.smaller_models import smaller_model
from l4serve.planning.models.catalogue import all_names, find_model


@pytest.mark.parametrize(
    ("model", "smaller"),
    [
        ("google/gemma-7b-it", "google/gemma-2b-it"),
        ("google/gemma-2-9b-it", "google/gemma-2-2b-it"),
        ("meta-llama/Llama-3.1-70B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-3B"),
        ("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-3B-Instruct"),
    ],
)
def test_the_next_smaller_model_may_be_known_by_another_s_shape(model: str, smaller: str) -> None:
    """Only the names that have a shape of their own were looked at."""
    found = smaller_model(find_model(model))
    assert found is not None
    assert found.id == smaller


def test_the_smallest_has_none() -> None:
    assert smaller_model(find_model("google/gemma-2b-it")) is None
    assert smaller_model(None) is None


def test_a_smaller_model_is_one_that_the_hub_has() -> None:
    found = {name: smaller_model(find_model(name)) for name in all_names()}
    assert sum(smaller is not None for smaller in found.values()) > 200
    assert not [name for name, smaller in found.items() if smaller is not None and not smaller.is_seen]
