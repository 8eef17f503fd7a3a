"""The cookbook's stacks plan, fit, render, and are what the how-to pages name."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from l4serve.cli.commands.render_command import render_stack
from l4serve.config.stack_file import read_stack_file
from l4serve.planning.stack.stack_planner import plan_stack
from tests.cli.terminal import run
from tests.editor import marked
from tests.stack_cases import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("Pulumi.*.yaml"))
EACH = pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name.split(".")[1])


def test_there_is_one_for_each_task() -> None:
    assert len(EXAMPLES) >= 12


@EACH
def test_it_plans_and_every_model_fits(file: Path) -> None:
    plan = plan_stack(read_stack_file(file))
    for workload in plan.workloads:
        assert workload.judgement.fit is None or workload.judgement.fit.fits
    grave = [note for note in plan.notes if note.level in ("danger", "will fail")]
    assert {note.id for note in grave} <= {"token-missing", "key-missing", "autoscaler-adapter"}


@EACH
def test_it_waits_for_no_secret_of_a_namespace_that_its_own_update_makes(file: Path) -> None:
    """Nobody can make a Secret in a cluster that is not there, and the stack takes no namespace that others made."""
    config = read_stack_file(file).config
    if config.cluster.mode == "existing" and not config.create_namespace:
        return
    assert config.hugging_face.existing_secret is None
    assert [w.api_key.secret for w in config.workloads.values() if w.api_key and w.api_key.secret] == []
    assert [source.secret for w in config.workloads.values() for source in w.env.values() if source.secret] == []


@pytest.mark.slow
@EACH
def test_it_renders(file: Path) -> None:
    rendered = render_stack(read_stack_file(file))
    assert {"Deployment", "Service"} <= {object_["kind"] for object_ in rendered.objects}


@EACH
def test_an_editor_finds_nothing_wrong(file: Path) -> None:
    document = yaml.safe_load(file.read_text("utf-8"))
    assert marked(document) == []
    assert "# yaml-language-server: $schema=../docs/stack.schema.json" in file.read_text("utf-8")


def test_the_how_to_names_each_of_them() -> None:
    text = (ROOT / "docs" / "how-to.md").read_text("utf-8")
    assert set(re.findall(r"examples/(Pulumi\.[\w.-]+\.yaml)", text)) == {file.name for file in EXAMPLES}


HOW_TO = (ROOT / "docs" / "how-to.md").read_text("utf-8")


@EACH
def test_it_plans_where_the_how_to_has_it_copied_to(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").touch()
    monkeypatch.chdir(tmp_path)
    stack = file.name.split(".")[1]
    copied = re.findall(r"^(cp [^\n]*)$", HOW_TO, re.M)
    assert len(copied) == 2
    for line in copied:
        subprocess.run(shlex.split(line.replace("Pulumi.embeddings.yaml", file.name)), check=True)
    planned = run("plan", "-s", stack)
    assert planned.exit_code == 0, planned.stderr
