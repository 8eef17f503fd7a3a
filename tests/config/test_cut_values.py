"""A value is redacted before it is cut: no cut takes away what tells that it holds a secret."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from tests.each_case import each

PASSWORD = "Tr0ub4dor3xkcd9"
ADDRESS = f"postgresql://user:{PASSWORD}@db.internal/llm"
TOKEN = "hf_" + "AbCdEfGh" * 4
BEHIND = "x" * 90 + "/" + TOKEN
OPTIONS: tuple[tuple[str, ...], ...] = (
    ("models", "--fits", BEHIND),
    ("recipes", BEHIND),
    ("diff", "--fail-on", BEHIND),
    ("plan", "-s", BEHIND),
    ("advise", "Qwen/Qwen2.5-7B-Instruct", "--region", BEHIND),
    ("explain", BEHIND),
)


def test_every_cut_of_an_address_hides_its_password() -> None:
    for most in range(len(ADDRESS) + 5):
        assert "Tr0" not in excerpt(ADDRESS, most)
        assert "Tr0" not in excerpt("x " * 2**15 + ADDRESS, 2**16 + most)
    assert excerpt("a text", 3, "...") == "a t..."
    assert excerpt("a text", 6, "...") == "a text"


@each(OPTIONS, lambda options: options[0])
def test_an_argument_is_shown_without_the_start_of_a_token(options: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*options])
    assert done.exit_code == 2
    assert "hf_A" not in done.output


@pytest.mark.parametrize("form", ["config: {}", "config:\n  gcp:project: {}", "config:\n  l4serve:serving: {}"])
def test_a_stack_file_with_an_address_where_a_mapping_belongs(form: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    for address in (ADDRESS, f"{'x' * 60} {ADDRESS}"):
        file.write_text(form.format(json.dumps(address)))
        done = CliRunner().invoke(app, ["plan", "-f", str(file)])
        assert done.exit_code == 2
        assert "Tr0" not in done.output


@each(["hidden_size", "num_attention_heads", "architectures", "vocab_size"], str)
def test_a_config_json_with_an_address_where_a_number_belongs(key: str) -> None:
    config = {"architectures": ["Qwen2ForCausalLM"], "hidden_size": 1024, "num_hidden_layers": 4, key: ADDRESS}
    with pytest.raises(ModelConfigError) as found:
        shape_from_config(config, model_id="a/b", source="here")
    assert "Tr0" not in str(found.value)
