"""config.json files as the Hub has them, read beside a stack file."""

import json
from math import inf
from pathlib import Path

import pytest

from benchmarks.hostility.inputs import GOOD, MODEL, edited
from l4serve.config.model_configs import ModelConfigs
from l4serve.config.reading.files import FileRefusedError, read_json
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.planning.stack.stack_planner import plan_stack


def test_what_transformers_writes_beyond_json_is_read_as_it_means(tmp_path: Path) -> None:
    """NVIDIA's own Nemotron-H has `"time_step_limit": [0.0, Infinity]`."""
    (tmp_path / "config.json").write_text('{"time_step_limit": [0.0, Infinity], "hidden_size": 8}')
    read = ModelConfigs(tmp_path).config("workloads.a.model.config", "config.json")
    assert read == {"time_step_limit": [0.0, inf], "hidden_size": 8}


@pytest.mark.parametrize("key", ["max_position_embeddings", "sliding_window", "rope_theta", "intermediate_size"])
def test_a_size_of_a_model_is_a_number(key: str, tmp_path: Path) -> None:
    for constant in ("Infinity", "NaN"):
        (tmp_path / "config.json").write_text(json.dumps({**MODEL, key: "?"}).replace('"?"', constant))
        serving = edited(GOOD, ("workloads", "qwen", "model"), lambda _: {"id": "a/b", "config": "config.json"})
        with pytest.raises(ConfigError, match=key):
            plan_stack(parse_stack("x", {SERVING_KEY: serving}, base=tmp_path))


@pytest.mark.parametrize("content", [b'{"a": Infinity}', b'{"a": NaN}', b'{"a": -Infinity}'])
def test_elsewhere_it_is_no_json(content: bytes) -> None:
    with pytest.raises(FileRefusedError, match="not a JSON number"):
        read_json(content)


@pytest.mark.parametrize("content", ['{"a": 1e999}', "[]", "{", '{"a": ' + "9" * 5000 + "}"])
def test_other_files_are_refused_with_their_path(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=r"workloads\.a\.model\.config"):
        ModelConfigs(tmp_path).config("workloads.a.model.config", "config.json")
