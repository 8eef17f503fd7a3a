"""Files besides the stack that are broken: each is refused with the file, what is wrong and what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.cli.terminal import run

SHAPE: dict[str, Any] = {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 3584, "num_hidden_layers": 28,
    "num_attention_heads": 28, "num_key_value_heads": 4, "intermediate_size": 18944, "vocab_size": 152064,
    "max_position_embeddings": 32768, "torch_dtype": "bfloat16",
}  # fmt: skip
BROKEN = {
    "cut off": json.dumps(SHAPE)[:-1], "empty": "", "a list": "[]", "an object of nothing": "{}", "null": "null",
    "a text": "name: x", "a word for a width": json.dumps({**SHAPE, "hidden_size": "x"}),
    "a width below zero": json.dumps({**SHAPE, "hidden_size": -1}),
    "heads that do not share": json.dumps({**SHAPE, "num_key_value_heads": 5}),
    "no layers": json.dumps({**SHAPE, "num_hidden_layers": None}),
}  # fmt: skip
OF_OTHERS = {
    "state": ("doctor FILE", ("cut off", "empty", "a list", "an object of nothing")),
    "report": ("bench -f STACK --report FILE", ("cut off", "empty", "a list", "a text")),
}


def checked(said: Any, *parts: str) -> None:
    assert said.exit_code == 2, said.output
    assert said.stderr.startswith("error: "), said.stderr
    assert all(part in said.stderr.splitlines()[0] for part in parts), said.stderr
    assert said.stderr.splitlines()[1].startswith("    fix: "), said.stderr
    assert not said.stdout


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_shape_of_a_model(broken: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(BROKEN[broken], "utf-8")
    checked(run("fit", "--model", str(tmp_path / "config.json")), "config.json")
    workload = {**factories.workload(nodePool="l4"), "model": {"id": "acme/model", "config": "config.json"}}
    pool = {"machineType": "g2-standard-8", "maxNodes": 1}
    stack = factories.write_stack(tmp_path, factories.serving({"chat": workload}, pools={"l4": pool}))
    checked(run("plan", "-f", str(stack)), f"{stack}:", "workloads.chat.model.config: ")


@pytest.mark.parametrize(("kind", "broken"), [(kind, name) for kind, (_, names) in OF_OTHERS.items() for name in names])
def test_a_broken_state_or_report(kind: str, broken: str, tmp_path: Path) -> None:
    stack = factories.write_stack(tmp_path, factories.serving({"chat": factories.workload()}))
    file = tmp_path / "given.json"
    file.write_text(BROKEN[broken], "utf-8")
    checked(run(*(str({"FILE": file, "STACK": stack}.get(word, word)) for word in OF_OTHERS[kind][0].split())))


def test_the_older_of_two_files_is_told_of_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("config:\n  x: [\n", "utf-8")
    stack = factories.write_stack(tmp_path, factories.serving({"chat": factories.workload()}))
    checked(run("diff", "--from", str(tmp_path / "a.yaml"), "--to", str(stack)), f"{tmp_path / 'a.yaml'}:2: ")
