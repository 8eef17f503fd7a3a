"""Copies of frozen values with some fields changed, and objects as keys by what they are."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.values.edited import edited
from l4serve.planning.values.identity import Same

OPTIONS = ServingOptions(engine="vllm", engine_version="0.26.0", max_num_seqs=7, unjudged=("--x",))


@pytest.mark.parametrize("changes", [{}, {"max_model_len": 4096}, {"unjudged": (), "enforce_eager": True}])
def test_an_edited_value_is_what_replace_makes(changes: dict[str, Any]) -> None:
    assert edited(OPTIONS, **changes) == replace(OPTIONS, **changes)
    assert OPTIONS.max_num_seqs == 7
    with pytest.raises(FrozenInstanceError):
        edited(OPTIONS, **changes).engine = "tgi"  # type: ignore[misc]


def test_the_same_is_the_very_object() -> None:
    one, other = [1], [1]
    assert Same(one) == Same(one)
    assert Same(one) != Same(other)
    assert {Same(one): 1, Same(other): 2}[Same(one)] == 1
    assert Same(one) != one
