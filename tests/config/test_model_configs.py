"""config.json files as the Hub has them, read beside a stack file."""

from pathlib import Path

import pytest

from l4serve.config.files import FileRefusedError, read_json
from l4serve.config.model_configs import ModelConfigs
from l4serve.config.problems import ConfigError


def test_what_transformers_writes_beyond_json_is_read_as_nothing(tmp_path: Path) -> None:
    """NVIDIA's own Nemotron-H has `"time_step_limit": [0.0, Infinity]`."""
    (tmp_path / "config.json").write_text('{"time_step_limit": [0.0, Infinity], "x": NaN, "hidden_size": 8}')
    read = ModelConfigs(tmp_path).config("workloads.a.model.config", "config.json")
    assert read == {"time_step_limit": [0.0, None], "x": None, "hidden_size": 8}


@pytest.mark.parametrize("content", [b'{"a": Infinity}', b'{"a": NaN}', b'{"a": -Infinity}'])
def test_elsewhere_it_is_no_json(content: bytes) -> None:
    with pytest.raises(FileRefusedError, match="not a JSON number"):
        read_json(content)


@pytest.mark.parametrize("content", ['{"a": 1e999}', "[]", "{", '{"a": ' + "9" * 5000 + "}"])
def test_other_files_are_refused_with_their_path(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=r"workloads\.a\.model\.config"):
        ModelConfigs(tmp_path).config("workloads.a.model.config", "config.json")
