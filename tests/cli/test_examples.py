"""The cookbook's stacks plan, fit, render, and are what the how-to pages name."""

import re
from pathlib import Path

import pytest
import yaml

from l4serve.cli.render_command import render_stack
from l4serve.config.stack_file import read_stack_file
from l4serve.planning.stack.stack_planner import plan_stack
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
